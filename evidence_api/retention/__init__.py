"""Retention: rules by category, every version of them, and destruction acts with what came of them."""
