"""The frozen values that queries hand out, by one address: pages need not know in which room each was made."""

from evidence_api.disclosure.model import WITHHOLD_GROUNDS
from evidence_api.disclosure.service import Disclosure
from evidence_api.jobs import JobView
from evidence_api.registry.facts import Account, Case, Exhibit, Grant, Hold
from evidence_api.registry.model import GRANTABLE, ExhibitForm, Role
from evidence_api.retention.model import HoldGround, LiftGround, Rejection, Rule, parse_rules
from evidence_api.retention.service import Disposal
from redaction.burn.transcript import BLOCK, Passage
from redaction.model import PageBox, SpokenWord, Suggestion, WordSpan
from redaction.plan import Addition, Decision
from redaction.queries import PlanView, RenditionView
from redaction.reasons import REASONS
from storage.retention import Basis, Purpose
from storage.upload import parse_sha256
from transcription.edits import Edit, RenameSpeaker, SetSpeaker, SetText
from transcription.model import MAX_SPEAKER_CHARS, UNKNOWN_SPEAKER, Transcript
from transcription.service import Reading, RevisionFacts, TranscriptFacts

__all__ = [
    "BLOCK",
    "GRANTABLE",
    "MAX_SPEAKER_CHARS",
    "REASONS",
    "UNKNOWN_SPEAKER",
    "WITHHOLD_GROUNDS",
    "Account",
    "Addition",
    "Basis",
    "Case",
    "Decision",
    "Disclosure",
    "Disposal",
    "Edit",
    "Exhibit",
    "ExhibitForm",
    "Grant",
    "Hold",
    "HoldGround",
    "JobView",
    "LiftGround",
    "PageBox",
    "Passage",
    "PlanView",
    "Purpose",
    "Reading",
    "Rejection",
    "RenameSpeaker",
    "RenditionView",
    "RevisionFacts",
    "Role",
    "Rule",
    "SetSpeaker",
    "SetText",
    "SpokenWord",
    "Suggestion",
    "Transcript",
    "TranscriptFacts",
    "WordSpan",
    "parse_rules",
    "parse_sha256",
]
