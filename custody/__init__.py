"""The ledger: events, their order, its signed heads and their proofs. The lowest room; it imports no other."""
