"""The registry: people, cases, grants and exhibits. Who is who, which case is which, what lies in it."""
