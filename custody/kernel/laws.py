"""What the database itself refuses, in the words of the program.

The migrations raise these SQLSTATEs from triggers; every engine of the program turns them into errors with codes.
"""

from typing import Any

from sqlalchemy import Engine, event

from custody.kernel.errors import Conflict, DalelError, Unavailable

NO_EVENT = "DL001"
IMMUTABLE = "DL002"
READ_ONLY = "DL003"
KEY_CLOSED = "DL010"


def refusal(sqlstate: str | None) -> DalelError | None:
    """The error of a law the database upheld, or None when the SQLSTATE is not one of ours."""
    match sqlstate:
        case "DL001":
            return Conflict("law.no_event")
        case "DL002":
            return Conflict("law.immutable")
        case "DL003":
            return Unavailable("ledger.read_only")
        case "DL010":
            return Unavailable("keys.closed")
        case _:
            return None


def translate_refusals(engine: Engine) -> None:
    """Make `engine` raise the refusals above instead of the driver's errors."""
    event.listen(engine, "handle_error", _translate, retval=True)


def _translate(context: Any) -> BaseException | None:
    return refusal(getattr(context.original_exception, "sqlstate", None))
