"""Routes of the pages: thin. A guard lets through, one query or use case does the work, a page is rendered."""
