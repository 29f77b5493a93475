"""Proofs and their verification: the standard library and `cryptography` only, so that anyone can carry it away."""
