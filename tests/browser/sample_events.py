"""Sample ids, digests and times, and one event of each kind that pages show."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

NOW = datetime(2026, 3, 14, 13, 5, 22, tzinfo=UTC)


def ident(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


def sha(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


DATA = {
    "exhibit.registered": {
        "exhibit": str(ident("audio")),
        "number": 1,
        "sha256": sha("1"),
        "size_bytes": 9_412_044,
        "basis": "search",
        "purpose": "pretrial",
        "retain_days": 3650,
    },
    "upload.finished": {"exhibit": str(ident("audio")), "upload": str(ident("u")), "size_bytes": 9_412_044},
    "exhibit.sealed": {
        "exhibit": str(ident("audio")),
        "blob": "b1",
        "sha256": sha("1"),
        "size_bytes": 9_412_044,
        "ciphertext_sha256": sha("c"),
        "ciphertext_bytes": 9_420_000,
        "retain_until_ms": 2_088_504_322_000,
        "media_type": "audio/wav",
    },
    "content.viewed": {"subject": str(ident("audio")), "sha256": sha("1")},
    "transcript.drafted": {
        "exhibit": str(ident("audio")),
        "transcript": "t",
        "revision": 1,
        "sha256": sha("t"),
        "audio_sha256": sha("1"),
        "engine": "faster-whisper 1.2.1",
        "model": "whisper-base",
        "model_sha256": sha("m"),
        "parameters_sha256": sha("p"),
        "duration_ms": 98_000,
        "machine_ms": 31_000,
    },
    "access.denied": {"action": "exhibit.read", "predicate": "role_in_case"},
    "rendition.leak_checked": {
        "exhibit": str(ident("audio")),
        "rendition": "r",
        "sha256": sha("r"),
        "result": "passed",
        "report_sha256": sha("rr"),
        "checks": 6,
    },
}
