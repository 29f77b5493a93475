"""The application: use cases, queries, HTTP, workers, command line, and the embedded servers."""
