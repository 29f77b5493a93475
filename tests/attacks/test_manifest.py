"""Step 3: the manifest in another form, contradicting itself, or naming other files than there are."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from custody.proof import bundle, canonical
from custody.proof.refusal import Step
from tests.attacks import forge

HONEST = forge.entries(forge.tell())


def with_manifest(data: bytes) -> dict[str, bytes]:
    return forge.replaced(HONEST, bundle.DISCLOSURE, lambda _: data)


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, bytes]:
    manifest = canonical.decode(HONEST[bundle.DISCLOSURE])
    change(manifest)
    return with_manifest(canonical.encode(manifest))


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another version": lambda m: m.update(v=2),
    "version true": lambda m: m.update(v=True),
    "another type": lambda m: m.update(type="dalel-closure"),
    "field extra": lambda m: m.update(extra=1),
    "field missing": lambda m: m.pop("erdr"),
    "empty recipient": lambda m: m.update(recipient=""),
    "round zero": lambda m: m.update(round=0),
    "round text": lambda m: m.update(round="1"),
    "negative time": lambda m: m.update(released_ms=-1),
    "upper-case id": lambda m: m.update(case=m["case"].upper()),
    "files no list": lambda m: m.update(files={}),
    "file no object": lambda m: m["files"].append("data/0001/x"),
    "file field extra": lambda m: m["files"][0].update(extra=1),
    "path outside data": lambda m: m["files"][0].update(path="custody/0001/x"),
    "path climbing": lambda m: m["files"][0].update(path="data/0001/.."),
    "path too deep": lambda m: m["files"][0].update(path="data/0001/a/b"),
    "path of another number": lambda m: m["files"][0].update(path="data/0009/x"),
    "path with full-width digits": lambda m: m["files"][0].update(path="data/０００１/x"),
    "path with a backslash": lambda m: m["files"][0].update(path="data/0001/a\\b"),
    "digest without algorithm": lambda m: m["files"][0].update(sha256="0" * 64),
    "digest in upper case": lambda m: m["files"][0].update(sha256=m["files"][0]["sha256"].upper()),
    "digest no text": lambda m: m["files"][0].update(sha256=1),
    "size true": lambda m: m["files"][0].update(size_bytes=True),
    "kind in capitals": lambda m: m["files"][3].update(kind="Sound"),
    "original with a rendition": lambda m: m["files"][0].update(rendition=forge.SOUND),
    "rendition without one": lambda m: m["files"][3].update(rendition=None),
    "original from something else": lambda m: m["files"][0].update(source_sha256=forge.digest(b"x")),
    "one path twice": lambda m: m["files"].append(m["files"][0]),
    "one exhibit, two numbers": lambda m: m["withheld"].append({"exhibit": forge.DOCUMENT, "number": 9, "ground": "x"}),
    "one number, two exhibits": lambda m: m["withheld"].append(
        {"exhibit": forge.identity("x"), "number": 1, "ground": "x"}
    ),
    "withheld without ground": lambda m: m["withheld"][0].pop("ground"),
    "fewer exhibits than named": lambda m: m.update(exhibits_total=3),
    "previous of another form": lambda m: m.update(previous={"disclosure": forge.DISCLOSURE}),
    "previous a text": lambda m: m.update(previous="none"),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    forge.refused(changed(FORMS[name]), Step.MANIFEST, "form")


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{", b"{}"])
def test_no_manifest(data: bytes) -> None:
    forge.refused(with_manifest(data), Step.MANIFEST, "form")


def test_not_canonical() -> None:
    loose = json.dumps(canonical.decode(HONEST[bundle.DISCLOSURE])).encode()
    forge.refused(with_manifest(loose), Step.MANIFEST, "form")


def test_file_not_named() -> None:
    forge.refused(changed(lambda m: m["files"].pop()), Step.MANIFEST, "manifest.files")


def test_file_named_and_absent() -> None:
    def add(manifest: dict[str, Any]) -> None:
        manifest["files"].append({**manifest["files"][0], "path": "data/0001/more.pdf"})

    forge.refused(changed(add), Step.MANIFEST, "manifest.files")


def test_extra_file_in_the_payload() -> None:
    forge.refused(forge.relisted({**HONEST, "data/0001/extra.pdf": b"x"}), Step.MANIFEST, "manifest.files")


def test_another_size() -> None:
    forge.refused(changed(lambda m: m["files"][0].update(size_bytes=1)), Step.MANIFEST, "manifest.digest")


def test_another_sha256() -> None:
    digest = forge.digest(b"x")
    forge.refused(
        changed(lambda m: m["files"][0].update(sha256=digest, source_sha256=digest)), Step.MANIFEST, "manifest.digest"
    )


def test_well_formed_but_not_the_one_released() -> None:
    previous = {"disclosure": forge.identity("round 0"), "manifest_sha256": forge.digest(b"round 0")}
    for change in ({"recipient": "mallory"}, {"withheld": []}, {"previous": previous}):
        forge.refused(changed(lambda m, change=change: m.update(change)), Step.BINDING, "bind.digest")  # type: ignore[misc]
