"""Disclosure: rounds, the manifest that binds them to the ledger, the package that is handed over, receipts."""
