"""Burning: the redacted rendition is made anew from what survives; nothing is removed from a copy of the original."""
