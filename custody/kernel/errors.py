"""Errors with stable codes.

Every refusal in the program is one of these kinds with a dotted code (`upload.digest_mismatch`). The code is the
contract: the HTTP edge maps the kind to a status, the portal maps the code to a sentence in the reader's language.
Parameters are shown to people and logged, so they never carry personal data, keys or tokens.
"""


class DalelError(Exception):
    """A refusal with a stable code. `params` may be shown to anyone who sees the code."""

    def __init__(self, code: str, **params: str | int | None) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} ({details})" if details else self.code


class Invalid(DalelError):
    """The input can never be accepted as it is."""


class Unauthenticated(DalelError):
    """Nobody is signed in, or no longer."""


class Denied(DalelError):
    """This person may not do this. Denials are recorded as events."""


class NotFound(DalelError):
    """There is no such thing, or this person may not know whether there is."""


class Conflict(DalelError):
    """The state of things does not allow it now: a lost race, a wrong order, a second person needed."""


class TooLarge(DalelError):
    """More than is allowed: bytes, pages, pixels, entries."""


class TooMany(DalelError):
    """Too often: a rate limit."""


class Gone(DalelError):
    """It was here and will not come back: an expired upload or link."""


class Unavailable(DalelError):
    """A part we depend on does not answer; trying again later may help."""


class Corrupt(DalelError):
    """Bytes are not what they must be: a store that lies, a broken file, a digest that differs."""
