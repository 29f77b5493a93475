"""What a file says about itself, read in the sandbox: claims, never facts. No database, store, web or queue."""
