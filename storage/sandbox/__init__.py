"""Hostile files are opened in a child process that may do little, for a limited time, in a directory of its own."""
