"""Whisper through faster-whisper and CTranslate2, on the processor.

The language of each stretch of speech is chosen from kk, ru and en by the model's own scores over its first ten
seconds; stretches of one language are packed into windows of at most 28 seconds and decoded in batches without
sampling. Settings were found by trying (docs/transcription.md). Source: Radford et al. 2022, section 2.4 (tokens,
language scores) and 4.5 (silence, repetition); faster-whisper 1.2.1.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import ctranslate2  # type: ignore[import-untyped]  # ships no types
import faster_whisper  # type: ignore[import-untyped]  # ships no types
import numpy as np
from faster_whisper.audio import pad_or_trim  # type: ignore[import-untyped]  # ships no types
from faster_whisper.tokenizer import Tokenizer  # type: ignore[import-untyped]  # ships no types
from faster_whisper.transcribe import get_compression_ratio  # type: ignore[import-untyped]  # ships no types

from transcription.engine import EngineFacts, Parameters, Progress
from transcription.engines import weights
from transcription.model import PPM, Transcript, Turn
from transcription.sound import RATE_HZ, Samples, Sound
from transcription.turns import Heard, speaker_names, turns_of
from transcription.windows import MAX_WINDOW_MS, Pack, Speech, Window, packed, speech_windows

LANGUAGES = ("kk", "ru", "en")
UNREADABLE = "[…]"
_FRAMES_PER_SECOND = 100
_LANGUAGE_FRAMES = 1000
_BLOCK = 32


@dataclass(frozen=True)
class Settings:
    """How the model is used. Scores are natural logarithms times 1000."""

    languages: tuple[str, ...] = LANGUAGES
    kazakh_bias_permille: int = 4000
    too_short_for_language_ms: int = 1_200
    beam: int = 5
    batch: int = 8
    compute_type: str = "int8"
    no_speech_permille: int = 600
    doubtful_log_permille: int = -1000
    repetitive_permille: int = 2400
    speech: Speech = field(default_factory=Speech)

    def parameters(self) -> Parameters:
        """All of it in the ledger's JSON profile."""
        return {
            "languages": list(self.languages),
            "kazakh_bias_permille": self.kazakh_bias_permille,
            "too_short_for_language_ms": self.too_short_for_language_ms,
            "beam": self.beam,
            "batch": self.batch,
            "temperature": 0,
            "condition_on_previous_text": False,
            "language_frames": _LANGUAGE_FRAMES,
            "compute_type": self.compute_type,
            "no_speech_permille": self.no_speech_permille,
            "doubtful_log_permille": self.doubtful_log_permille,
            "repetitive_permille": self.repetitive_permille,
            "vad": "silero-v6",
            "vad_threshold_permille": round(self.speech.threshold * 1000),
            "pause_ms": self.speech.pause_ms,
            "shortest_ms": self.speech.shortest_ms,
            "pad_ms": self.speech.pad_ms,
            "alone_ms": self.speech.alone_ms,
            "window_ms": MAX_WINDOW_MS,
        }


class WhisperEngine:
    """One Whisper model. Loaded on first use, once; safe to share between threads, which then take turns."""

    def __init__(
        self, directory: Path, model: str, sha256: str, *, threads: int = 2, settings: Settings | None = None
    ) -> None:
        """A model directory in CTranslate2's format, the name to show, and the SHA-256 (hex) its weights must have."""
        self._directory = directory
        self._name = model
        self._sha256 = sha256
        self._threads = threads
        self._settings = settings or Settings()
        self._lock = Lock()
        self._model: Any = None
        self._facts: EngineFacts | None = None

    def facts(self) -> EngineFacts:
        """See Engine. The digests of tokenizer and configuration are among the parameters."""
        if self._facts is None:
            digests = weights.file_digests(self._directory, self._sha256)
            files: Parameters = {f"file_{name}": f"sha256:{sha256}" for name, sha256 in digests.items()}
            self._facts = EngineFacts(
                engine="faster-whisper",
                version=f"{version('faster-whisper')} ctranslate2-{version('ctranslate2')}",
                model=self._name,
                model_sha256=f"sha256:{self._sha256}",
                parameters=self._settings.parameters() | files,
            )
        return self._facts

    def transcribe(self, sound: Sound, progress: Progress) -> Transcript:
        """See Engine. Two channels are two speakers, "1" and "2"; in one channel every turn's speaker is "?"."""
        self.facts()
        total = sound.duration_ms * len(sound.channels)
        progress(0, total)
        turns: list[Turn] = []
        with self._lock:
            model = self._loaded()
            for index, (samples, speaker) in enumerate(zip(sound.channels, speaker_names(sound), strict=True)):
                windows = speech_windows(samples, self._settings.speech)
                for heard in self._hear(model, samples, windows):
                    turns += turns_of(heard, speaker, sound.duration_ms)
                    done = index * sound.duration_ms + heard.pack.window.end * 1000 // RATE_HZ
                    progress(min(done, total), total)
        progress(total, total)
        return Transcript(sound.duration_ms, tuple(sorted(turns, key=lambda turn: turn.start_ms)))

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = faster_whisper.WhisperModel(
                str(self._directory),
                device="cpu",
                compute_type=self._settings.compute_type,
                cpu_threads=self._threads,
                local_files_only=True,
            )
        return self._model

    def _hear(self, model: Any, samples: Samples, windows: Sequence[Window]) -> Iterator[Heard]:
        language: str | None = None
        for at in range(0, len(windows), _BLOCK):
            block = windows[at : at + _BLOCK]
            languages: list[str] = []
            for window in block:
                language = self._language(model, samples, window, language)
                languages.append(language)
            packs = packed(block, languages)
            for first in range(0, len(packs), self._settings.batch):
                yield from self._decode(model, samples, packs[first : first + self._settings.batch])

    def _language(self, model: Any, samples: Samples, window: Window, before: str | None) -> str:
        """The language of a stretch; one too short to tell is taken for the language before it."""
        if before and window.seconds * 1000 < self._settings.too_short_for_language_ms:
            return before
        if len(self._settings.languages) == 1:
            return self._settings.languages[0]
        # Ten seconds encode in a fifth of the time of Whisper's thirty and score languages alike.
        encoded = model.encode(np.ascontiguousarray(_features(model, samples, window)[None, :, :_LANGUAGE_FRAMES]))
        scores = {token[2:-2]: probability for token, probability in model.model.detect_language(encoded)[0]}
        return choose_language(scores, self._settings.languages, self._settings.kazakh_bias_permille)

    def _decode(self, model: Any, samples: Samples, packs: Sequence[Pack]) -> Iterator[Heard]:
        spoken = [
            Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", pack.language) for pack in packs
        ]
        # One by one the encoder is faster than in a batch (the batch falls out of the processor's cache).
        encoded = [np.asarray(model.encode(_features(model, samples, pack.window)[None])) for pack in packs]
        together = ctranslate2.StorageView.from_array(np.concatenate(encoded))
        results = self._generate(model, together, [model.get_prompt(tokenizer, []) for tokenizer in spoken], 0)
        for pack, tokenizer, row, result in zip(packs, spoken, encoded, results, strict=True):
            alone = ctranslate2.StorageView.from_array(row)
            yield Heard(pack, self._words(model, alone, tokenizer, pack.window, result))

    def _generate(self, model: Any, encoded: Any, prompts: list[list[int]], no_repeat: int) -> Any:
        return model.model.generate(
            encoded,
            prompts,
            beam_size=self._settings.beam,
            max_length=model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
            sampling_temperature=0,
            no_repeat_ngram_size=no_repeat,
        )

    def _words(
        self, model: Any, alone: Any, tokenizer: Any, window: Window, result: Any
    ) -> tuple[tuple[str, int, int, int], ...]:
        """Word, start and end (ms in the window), confidence (ppm). Nothing for noise; a mark for what only repeats."""
        if self._nothing_said(result):
            return ()
        tokens = _text_tokens(tokenizer, result)
        if self._repetitive(tokenizer, tokens):
            # Whisper sometimes loops; the same window without repeated triples is tried once, still without sampling.
            prompts = [model.get_prompt(tokenizer, [])]
            tokens = _text_tokens(tokenizer, self._generate(model, alone, prompts, 3)[0])
            if self._repetitive(tokenizer, tokens):
                return ((UNREADABLE, 0, round(window.seconds * 1000), 0),)
        segment: dict[str, Any] = {"tokens": tokens, "start": 0.0, "end": window.seconds, "seek": 0}
        frames = math.ceil(window.seconds) * _FRAMES_PER_SECOND
        model.add_word_timestamps(
            [[segment]], tokenizer, alone, [frames], "\"'“¿([{-«", "\"'.。,，!！?？:：”)]}、»…", 0.0
        )
        return tuple(
            (word["word"], round(word["start"] * 1000), round(word["end"] * 1000), round(word["probability"] * PPM))
            for word in segment["words"]
        )

    def _nothing_said(self, result: Any) -> bool:
        doubtful = 1000 * result.scores[0] < self._settings.doubtful_log_permille
        silent = 1000 * result.no_speech_prob > self._settings.no_speech_permille
        return bool(doubtful and silent)

    def _repetitive(self, tokenizer: Any, tokens: list[int]) -> bool:
        text: str = tokenizer.decode(tokens)
        ratio: float = get_compression_ratio(text) if text else 0.0
        return 1000 * ratio > self._settings.repetitive_permille


def _features(model: Any, samples: Samples, window: Window) -> Any:
    piece = samples[window.start : window.end].astype(np.float32) / 32768
    return pad_or_trim(model.feature_extractor(piece)[..., :-1])


def _text_tokens(tokenizer: Any, result: Any) -> list[int]:
    return [token for token in result.sequences_ids[0] if token < tokenizer.eot]


def choose_language(scores: Mapping[str, float], languages: Sequence[str], kazakh_bias_permille: int) -> str:
    """The likeliest of `languages`, with Kazakh preferred over Russian within the bias.

    Whisper base calls Kazakh Russian. Over ten seconds of sound the clips at hand had log p(kk) − log p(ru) above −2.0
    in Kazakh and below −5.2 in Russian, so the bias is 4. That is few clips: a Kazakh word in a Russian sentence, or an
    accent, may fall on either side.
    """
    logs = {language: math.log(max(scores.get(language, 0.0), 1e-12)) for language in languages}
    best = max(languages, key=lambda language: logs[language])
    if best == "ru" and "kk" in logs and 1000 * (logs["kk"] - logs["ru"]) > -kazakh_bias_permille:
        return "kk"
    return best
