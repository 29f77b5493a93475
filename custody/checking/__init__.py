"""Checking the whole ledger against itself, its published form and its private copies."""
