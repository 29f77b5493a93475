"""Benchmarks: each room's module prints a table with its peer beside it, measured in the same run."""
