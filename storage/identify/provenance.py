"""C2PA: whether the device or program that made the file signed it, and whether the file is still what it signed.

The verdict is about the signature and the bytes. Who signed is a claim of the certificate unless an operator's list
vouches for its issuer: `intact` says that the signature fits and that there is no list to ask, `trusted` that its
issuer is on the list as well, `untrusted` that it is not, `broken` that something does not fit. A broken signature is
no reason to refuse evidence (R17). Nothing is fetched.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import c2pa  # type: ignore[import-untyped]  # it ships no types

from storage.identify.model import ANCHORS, Claims, plain

_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}}
_VERDICTS = {"Trusted": "trusted", "Valid": "intact", "Invalid": "broken"}
_ABSENT = "ManifestNotFound"
_MOST = 20


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Leaves `claims.c2pa` None where there is no manifest, and the verdict `remote` for one that lies elsewhere."""
    if media_type not in c2pa.Reader.get_supported_mime_types():
        return
    claims.tools["c2pa"] = c2pa.sdk_version()
    listed = source.with_name(ANCHORS)
    anchors = listed.read_text() if listed.is_file() else ""
    context = c2pa.Context(c2pa.Settings.from_dict(_OFFLINE | {"trust": {"trust_anchors": anchors} if anchors else {}}))
    try:
        with source.open("rb") as file, c2pa.Reader(media_type, file, context=context) as reader:
            told = json.loads(reader.json())
            state = str(reader.get_validation_state())
    except c2pa.C2paError as fault:
        if _ABSENT in type(fault).__name__ or _ABSENT in str(fault):
            return
        claims.c2pa = {"verdict": "remote" if "Remote" in type(fault).__name__ else "unreadable"}
        claims.flag("c2pa.unreadable")
        return
    claims.c2pa = _verdict(told, state)
    if anchors:
        claims.c2pa["anchors"] = "sha256:" + hashlib.sha256(anchors.encode()).hexdigest()
        if claims.c2pa["verdict"] == "intact":
            claims.c2pa["verdict"] = "untrusted"
    if claims.c2pa["verdict"] == "broken":
        claims.flag("c2pa.broken")


def _verdict(told: dict[str, Any], state: str) -> dict[str, Any]:
    manifest = told.get("manifests", {}).get(told.get("active_manifest", ""), {})
    signature = manifest.get("signature_info", {})
    failures = told.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    return {
        "verdict": _VERDICTS.get(state, "broken"),
        "issuer": plain(str(signature.get("issuer") or "")),
        "signed_at": plain(str(signature.get("time") or "")),
        "generator": plain(str(manifest.get("claim_generator") or _name(manifest))),
        "anchors": "",
        "failures": [plain(str(one.get("code"))) for one in failures[:_MOST]],
    }


def _name(manifest: dict[str, Any]) -> str:
    info = manifest.get("claim_generator_info") or [{}]
    return str(info[0].get("name", ""))
