"""The browser's verifier, for a page of ours to show."""

from evidence_api.disclosure import verifier


def script() -> bytes:
    """The program with its words: JavaScript that builds itself into an element `#verifier`."""
    return verifier.script()
