"""Routes: parse, one use case, render."""
