"""Bytes flipped: in files, in lists, anywhere in the container."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody.proof import bundle
from custody.proof.refusal import Step, VerificationError
from tests.attacks import forge

HONEST = forge.entries(forge.tell())
ZIPPED = forge.zipped(HONEST)


def flipped(data: bytes, at: int = -2) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def test_honest_package_is_verified() -> None:
    verified = forge.checked(ZIPPED)
    assert (verified.events, verified.exhibits, len(verified.files), verified.origin) == (22, 3, 4, forge.ORIGIN)
    assert [step.step for step in verified.steps] == list(Step)
    assert {witness.name for witness in verified.witnesses} == {"court.example", "bar.example", "university.example"}


@pytest.mark.parametrize("entry", [entry for entry in HONEST if entry not in (bundle.TAG_MANIFEST, bundle.BAGIT)])
def test_flip_without_new_lists_is_caught_by_the_digests(entry: str) -> None:
    package = {**HONEST, entry: flipped(HONEST[entry])}
    # the last letter of the payload's list is one of a path: the file of that name is then in no list
    refusal = forge.refused(package, Step.FILES, "files.extra" if entry == bundle.PAYLOAD_MANIFEST else "files.digest")
    if entry == bundle.PAYLOAD_MANIFEST:
        return
    assert entry in refusal.found or bundle.TAG_MANIFEST in refusal.found


def test_flip_in_the_list_of_lists() -> None:
    package = {**HONEST, bundle.TAG_MANIFEST: HONEST[bundle.TAG_MANIFEST].replace(b"a", b"b", 1)}
    assert package != HONEST
    forge.refused(package, Step.FILES, "files.digest")


def test_flip_in_the_declaration() -> None:
    forge.refused({**HONEST, bundle.BAGIT: flipped(HONEST[bundle.BAGIT])}, Step.FILES, "files.bag")


def test_wrong_payload_oxum() -> None:
    package = forge.relisted(HONEST)
    info = b"Payload-Oxum: 1.1\n"
    package[bundle.BAG_INFO] = info
    lists = {path: forge.digest(data)[7:] for path, data in package.items() if not path.startswith("data/")}
    del lists[bundle.TAG_MANIFEST]
    package[bundle.TAG_MANIFEST] = bundle.digest_lines(lists)
    forge.refused(package, Step.FILES, "files.bag")


@pytest.mark.parametrize("path", [path for path in HONEST if path.startswith("data/")])
def test_flip_in_a_file_with_new_lists_is_caught_by_the_manifest(path: str) -> None:
    forge.refused(forge.replaced(HONEST, path, flipped), Step.MANIFEST, "manifest.digest")


def test_flip_in_a_file_with_new_lists_and_new_manifest_is_caught_by_the_events() -> None:
    package = forge.replaced(HONEST, "data/0001/протокол.pdf", flipped)
    before, after = (forge.digest(data["data/0001/протокол.pdf"]).encode() for data in (HONEST, package))
    package = forge.replaced(package, bundle.DISCLOSURE, lambda data: data.replace(before, after))
    forge.refused(package, Step.BINDING, "bind.digest")


def test_flip_with_new_manifest_and_new_disclosure_events_is_caught_by_the_seal() -> None:
    story = forge.tell()
    path = "data/0001/протокол.pdf"
    story.files[path] = flipped(story.files[path])
    story.manifest["files"][0].update(
        sha256=forge.digest(story.files[path]), source_sha256=forge.digest(story.files[path])
    )
    forge.refused(forge.entries(story.rebind()), Step.VOUCHING, "vouch.sealed")


def test_flip_with_everything_remade_but_the_log_is_caught_by_the_log() -> None:
    honest_log = forge.Log(forge.chained(forge.tell().events))
    story = forge.tell()
    path = "data/0001/протокол.pdf"
    story.files[path] = flipped(story.files[path])
    new = forge.digest(story.files[path])
    story.manifest["files"][0].update(sha256=new, source_sha256=new)
    story.find("exhibit.sealed", f"exhibit:{forge.DOCUMENT}")["data"]["sha256"] = new
    package = forge.entries(story.rebind())
    package[bundle.CHECKPOINT] = honest_log.checkpoint()
    forge.refused(forge.relisted(package), Step.INCLUSION, "proofs.invalid")


def test_same_bytes_in_another_place() -> None:
    package = dict(HONEST)
    a, b = "data/0001/протокол.pdf", "data/0002/photo.jpg"
    package[a], package[b] = package[b], package[a]
    forge.refused(package, Step.FILES, "files.digest")
    forge.refused(forge.relisted(package), Step.MANIFEST, "manifest.digest")


def contents(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(ZIPPED) - 1), st.integers(1, 255))
def test_any_byte_of_the_container(at: int, change: int) -> None:
    """Either it is refused, or the byte says nothing about the contents (a date, a version, a permission)."""
    raw = bytearray(ZIPPED)
    raw[at] ^= change
    try:
        forge.checked(bytes(raw))
    except VerificationError:
        return
    found = {name.partition("/")[2]: data for name, data in contents(bytes(raw)).items()}
    assert found == HONEST


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(ZIPPED) - 1))
def test_cut_anywhere(at: int) -> None:
    with pytest.raises(VerificationError) as caught:
        forge.checked(ZIPPED[:at])
    assert caught.value.step == Step.CONTAINER
