"""A trail as CASE/UCO 1.4 JSON-LD (caseontology.org): events as investigative actions, exhibits as files with hashes.

Every node is written as it comes, so a trail of any length streams. The exact bytes of an event stand in the content of
its record, with their SHA-256: whoever has the export can recompute what the ledger holds. Personal values are not in
it: an event holds only their salted digests. Persons are named as the case's pages name them.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from custody.audit import EntryView
from custody.kernel.clock import from_ms
from evidence_api.queries.exports import Export
from evidence_api.registry.facts import Exhibit

_UCO, _CASE = "https://ontology.unifiedcyberontology.org/uco/", "https://ontology.caseontology.org/case/"
CONTEXT = {
    "kb": "urn:dalel:",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "case-investigation": f"{_CASE}investigation/",
    **{f"uco-{part}": f"{_UCO}{part}/" for part in ("action", "core", "identity", "observable", "tool", "types")},
}
_SYSTEM = uuid5(NAMESPACE_URL, "urn:dalel:system")
Node = dict[str, Any]


def document(export: Export) -> Iterator[str]:
    """The export as JSON-LD text in pieces."""
    yield '{"@context": ' + json.dumps(CONTEXT) + ', "@graph": [\n'
    yield _text(_investigation(export))
    yield ",\n" + _text(_system())
    told: set[UUID] = set()
    before: dict[str, UUID] = {}
    for page in export.pages():
        for account, name in page.names.items():
            if account not in told:
                told.add(account)
                yield ",\n" + _text(_person(account, name))
        for exhibit in page.exhibits:
            if exhibit.id not in told:
                told.add(exhibit.id)
                yield from (",\n" + _text(node) for node in _file(exhibit))
        for entry in page.entries:
            action = _action(entry, before.get(entry.item), told)
            before[entry.item] = entry.id
            yield ",\n" + _text(action) + ",\n" + _text(_record(entry))
    yield "\n]}\n"


def _text(node: Node) -> str:
    return json.dumps(node, ensure_ascii=False)


def _ref(kind: str, identity: UUID) -> Node:
    """A name-based UUID, since UCO knows none of version 7; our own id of an event stands in its bytes."""
    return {"@id": f"kb:{kind}-{uuid5(identity, kind)}"}


def _typed(kind: str, value: str | int) -> Node:
    return {"@type": kind, "@value": str(value)}


def _investigation(export: Export) -> Node:
    checkpoint = export.checkpoint or "no head of the ledger was signed yet"
    return {
        **_ref("investigation", export.case.id),
        "@type": "case-investigation:Investigation",
        "uco-core:name": export.case.erdr,
        "uco-core:description": [
            f"Events of the chain of custody in this export: {export.total}, of the first {export.size} of the ledger;"
            f" filters: {json.dumps(export.filters, ensure_ascii=False)}",
            f"Signed head of the ledger at the time of the export: {checkpoint}",
        ],
    }


def _system() -> Node:
    return {**_ref("tool", _SYSTEM), "@type": "uco-tool:Tool", "uco-core:name": "Dälel", "uco-tool:version": "1"}


def _person(account: UUID, name: str) -> Node:
    return {**_ref("person", account), "@type": "uco-identity:Person", "uco-core:name": name}


def _file(exhibit: Exhibit) -> Iterator[Node]:
    content = uuid5(exhibit.id, "content")
    size = _typed("xsd:integer", exhibit.size_bytes)
    yield {
        **_ref("file", exhibit.id),
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [
            {
                **_ref("facet", uuid5(exhibit.id, "file")),
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": exhibit.filename,
                "uco-observable:sizeInBytes": size,
            },
            {
                **_ref("facet", content),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:sizeInBytes": size,
                "uco-observable:hash": _hash(content, exhibit.sha256.removeprefix("sha256:")),
            },
        ],
    }
    yield {
        **_ref("provenance", uuid5(exhibit.id, "provenance")),
        "@type": "case-investigation:ProvenanceRecord",
        "case-investigation:exhibitNumber": str(exhibit.number),
        "uco-core:object": _ref("file", exhibit.id),
    }


def _hash(of: UUID, sha256_hex: str) -> Node:
    return {
        **_ref("hash", uuid5(of, "hash")),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": "SHA256",
        "uco-types:hashValue": _typed("xsd:hexBinary", sha256_hex),
    }


def _action(entry: EntryView, before: UUID | None, told: set[UUID]) -> Node:
    actor = _ref("person", entry.actor_id) if entry.actor_id in told and entry.actor_id else _ref("tool", _SYSTEM)
    when = from_ms(entry.time_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    place = f"event {entry.seq} of the ledger, {entry.item_seq} of {entry.item}"
    action = {
        **_ref("action", entry.id),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": entry.type,
        "uco-core:description": f"{entry.role}, {entry.means}; {place}",
        "uco-action:startTime": _typed("xsd:dateTime", when),
        "uco-action:endTime": _typed("xsd:dateTime", when),
        "uco-action:performer": actor,
        "uco-action:result": _ref("record", entry.id),
    }
    kind, _, identity = entry.item.partition(":")
    if kind == "exhibit" and UUID(identity) in told:
        action["uco-action:object"] = _ref("file", UUID(identity))
    if before is not None:
        action["case-investigation:wasInformedBy"] = _ref("action", before)
    return action


def _record(entry: EntryView) -> Node:
    """The event's exact bytes."""
    facet = uuid5(entry.id, "content")
    return {
        **_ref("record", entry.id),
        "@type": "uco-observable:ObservableObject",
        "uco-core:hasFacet": {
            **_ref("facet", facet),
            "@type": "uco-observable:ContentDataFacet",
            "uco-observable:mimeType": "application/json",
            "uco-observable:sizeInBytes": _typed("xsd:integer", len(entry.canonical)),
            "uco-observable:dataPayload": entry.canonical.decode(),
            "uco-observable:hash": _hash(facet, hashlib.sha256(entry.canonical).hexdigest()),
        },
    }
