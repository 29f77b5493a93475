"""What the stack says to the person at the terminal, and the one error it raises."""

from collections.abc import Callable

Say = Callable[[str], None]
"""Takes one finished line of progress, in plain words, without a line end."""


class StackError(Exception):
    """A server or program cannot be started or kept up. Its text says what, why and what to do now."""


def say_nothing(line: str) -> None:
    """Progress for those who do not want any."""
    del line
