"""The transcript desk: listen, read, correct, confirm."""

from dataclasses import dataclass
from datetime import datetime

from evidence_api.queries.facts import MAX_SPEAKER_CHARS
from portal import catalog
from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.cases import CaseHead
from portal.pages.exhibits import ExhibitRef, Job
from portal.rendering import page

LOW_PPM = 600_000
"""Below this certainty, in millionths, a word is underlined."""

ISLAND_WORDS = (
    "transcript.saved",
    "transcript.saving",
    "transcript.not_saved",
    "transcript.kept",
    "transcript.offer_back",
)


@dataclass(frozen=True)
class Word:
    """One word. Times are None for words that a person typed; `certainty_ppm` is None when nobody measured it."""

    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    certainty_ppm: int | None = None

    @property
    def low(self) -> bool:
        """Whether the machine was unsure of it."""
        return self.certainty_ppm is not None and self.certainty_ppm < LOW_PPM


@dataclass(frozen=True)
class Speaker:
    """A voice: `key` as the revision has it, `name` as it is shown, empty while nobody has named it."""

    key: str
    name: str


@dataclass(frozen=True)
class Turn:
    """What one speaker said without a break; `speaker` is empty while nobody has named the voice.

    `language` is kk, ru or en, for the `lang` attribute.
    """

    index: int
    start_ms: int
    end_ms: int
    speaker: str
    language: str
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with single blanks between them."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class RevisionRow:
    """A revision. `kind` is draft, correction or confirmation; `turns` are the numbers of the changed turns."""

    number: int
    kind: str
    author: str
    at: datetime
    turns: tuple[int, ...] = ()


@dataclass(frozen=True)
class TranscriptDesk:
    """The desk. `state` is requested, draft, confirmed or failed. `failed_code` says why there is none.

    `unseen` is the code of why the sound is not played here.

    A correction is posted to `/exhibits/<id>/transcript/turns/<index>` with `revision` and `text`; a request that
    accepts JSON gets `{"revision", "saved_at"}` or a problem document. `form` brings a refused correction back.
    """

    head: CaseHead
    exhibit: ExhibitRef
    state: str
    audio_href: str
    duration_ms: int
    revision: int = 0
    sha256: str = ""
    turns: tuple[Turn, ...] = ()
    revisions: tuple[RevisionRow, ...] = ()
    engine: str = ""
    model: str = ""
    machine_ms: int | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    failed_code: str | None = None
    can_correct: bool = False
    can_confirm: bool = False
    job: Job | None = None
    form: Form = EMPTY_FORM
    speakers: tuple[Speaker, ...] = ()
    unseen: str | None = None


def render_transcript(context: RequestContext, model: TranscriptDesk) -> str:
    words = {key: catalog.text(context.language, key) for key in ISLAND_WORDS}
    return page("transcript.html", context, model, words=words, keys_of="transcript", speaker_chars=MAX_SPEAKER_CHARS)
