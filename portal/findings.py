"""What was found out about a file, as its exhibit's page takes it."""

from evidence_api.http.guard import Access
from evidence_api.queries import cases as queries
from evidence_api.queries.examined import Examined
from portal.pages.examined import Findings, LightCopy, Scan, Signature

_SHOWN = ("light_video", "light_sound", "light_picture", "light_pages", "light_pdf", "light_text")


def findings(found: Examined, access: Access, page: int) -> Findings:
    """The page's model. Which light copies are shown is one list; what only comes with them (frame maps) is not."""
    read = found.examination
    claims = read.claims if read and read.claims else {}
    signed = claims.get("c2pa")
    missing = next((copy.reason for copy in found.copies if copy.reason), None)
    return Findings(
        scan=_scan(found),
        media_type=str(claims.get("media_type", "")),
        claims=tuple((one["key"], one["value"]) for one in claims.get("claims", ())),
        flags=tuple(claims.get("flags", ())),
        entries=tuple((one["name"], one["size_bytes"]) for one in claims.get("entries", ())),
        entries_total=int(claims.get("entries_total", 0)),
        read_at=read.made_at if read else None,
        digest=(read.sha256 or "") if read else "",
        not_read=read.reason if read else None,
        signature=Signature(signed["verdict"], signed["issuer"], signed["generator"]) if signed else None,
        copies=tuple(
            _copy(found, kind) for kind in _SHOWN if any(one.kind == kind and one.blob_id for one in found.copies)
        ),
        copy_missing=missing,
        page=page,
        can_ask=not found.jobs and queries.may(access.viewer, "exhibit.examine", access.resource),
    )


def _scan(found: Examined) -> Scan:
    if found.scan is None:
        return Scan("waiting" if found.scanning else "off")
    facts = found.scan.facts
    return Scan(facts.result, facts.engine, facts.signature or "", found.scan.made_at)


def _copy(found: Examined, kind: str) -> LightCopy:
    copy = next(one for one in found.copies if one.kind == kind)
    return LightCopy(
        id=copy.id,
        kind=kind,
        size_bytes=copy.size_bytes or 0,
        digest=copy.sha256 or "",
        tool=copy.tool or "",
        tool_version=copy.tool_version or "",
        pages=len(copy.details.get("pages", ())),
        pages_total=int(copy.details.get("pages_total", 0)),
        faults=int(copy.details.get("faults", 0)),
    )
