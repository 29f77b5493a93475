"""What verification says: the numbered steps, and the refusal that names the first one that does not hold.

A refusal is a code and its values; the sentences are in `custody.proof.words`, in three languages.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum

from custody.proof import words
from custody.proof.strict import ProofError

Value = str | int


class Step(IntEnum):
    """The steps in their order. The numbers are a contract: people quote them."""

    CONTAINER = 1
    FILES = 2
    MANIFEST = 3
    EVENTS = 4
    CHAINS = 5
    BINDING = 6
    VOUCHING = 7
    INCLUSION = 8
    CHECKPOINT = 9
    WITNESSES = 10
    TIME_STAMPS = 11


class VerificationError(ValueError):
    """The package is refused at `step`.

    `name`, `expected`, `found` and `does_not_prove` are sentences in English; `said` gives them in another language.
    """

    def __init__(self, step: Step, code: str, **values: Value) -> None:
        self.step = step
        self.code = code
        self.values: Mapping[str, Value] = values
        self.name = words.step_name(step, "en")
        self.expected = words.expected(step, "en")
        self.found = words.found(code, values, "en")
        self.does_not_prove = words.does_not_prove(step, "en")
        super().__init__(f"step {int(step)}, {self.name}: {self.found}")

    def said(self, language: str) -> dict[str, str]:
        """The four sentences in `kk`, `ru` or `en`."""
        return {
            "name": words.step_name(self.step, language),
            "expected": words.expected(self.step, language),
            "found": words.found(self.code, self.values, language),
            "does_not_prove": words.does_not_prove(self.step, language),
        }


@contextmanager
def refused_at(step: Step, code: str, **values: Value) -> Iterator[None]:
    """Whatever this package raises inside is a refusal at this step."""
    try:
        yield
    except ProofError as error:
        raise VerificationError(step, code, reason=error.reason, detail=error.detail, **values) from error
