"""What a speech engine is, whatever its maker: sound in, a draft transcript out, and how it got there (R15)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from custody.proof import canonical
from transcription.model import Transcript, digest
from transcription.sound import Sound

Progress = Callable[[int, int], None]
Parameters = dict[str, int | str | bool | list[str]]


@dataclass(frozen=True)
class EngineFacts:
    """Everything a rerun needs besides the sound. `model_sha256` is `sha256:<hex>` of the weights.

    `parameters` are in the ledger's JSON profile (no floats) and include the digests of the model's other files.
    """

    engine: str
    version: str
    model: str
    model_sha256: str
    parameters: Parameters

    @property
    def parameters_sha256(self) -> str:
        """`sha256:<hex>` of the parameters' canonical bytes."""
        return digest(canonical.encode(self.parameters))


class Engine(Protocol):
    """A speech engine. The same engine, model, parameters, processor kind and sound give the same transcript."""

    def facts(self) -> EngineFacts:
        """What it is. May read the model's files; raises Corrupt `speech.model_damaged` when they are not as agreed."""
        ...

    def transcribe(self, sound: Sound, progress: Progress) -> Transcript:
        """The draft. Calls `progress(done_ms, total_ms)` as it goes; total is fixed and done never falls.

        Raises Unavailable `speech.model_missing` or Corrupt `speech.model_damaged`. Silence gives no turns. Not
        guaranteed: that a word was said; every word carries a confidence, and a person confirms.
        """
        ...
