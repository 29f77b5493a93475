"""How a refusal must look: RFC 9457, a stable code, a sentence in the reader's language."""

from collections.abc import Callable
from typing import Any

import httpx

from evidence_api.http.messages import sentence
from tests.whole import System

LANGUAGES = ("kk", "ru", "en")
Send = Callable[[dict[str, str]], httpx.Response]


def refused(send: Send, status: int, code: str) -> dict[str, Any]:
    """Sends thrice, in each language; the same refusal each time. Returns the last problem."""
    details = set()
    for language in LANGUAGES:
        answer = send({"Accept-Language": language})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
        problem = answer.json()
        assert (problem["code"], problem["status"]) == (code, status), problem
        assert problem["type"] == f"urn:dalel:problem:{code}"
        assert problem["detail"] == sentence(code, language, problem.get("params", {}))
        assert problem["title"]
        details.add(problem["detail"])
    assert len(details) == len(LANGUAGES), "a language has another's sentence"
    return dict(problem)


def denials(system: System, item: str, login: str | None = None) -> int:
    """How many denials are on a chain, of one person if named."""
    found = system.events(item, "access.denied")
    account = system.members[login].account_id if login else None
    return sum(account in (None, one["actor"]["id"]) for one in found)


def counts(system: System) -> dict[str, int]:
    """How many rows each business table has: what must be the same after a refusal."""
    tables = ("exhibits", "uploads", "blobs", "transcripts", "revisions", "redaction_plans", "disclosures", "jobs")
    return {table: system.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
