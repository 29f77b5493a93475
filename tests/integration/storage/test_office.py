"""Office documents in the sandbox. LibreOffice is no requirement: where it is missing each is refused, with a code."""

import socket
import threading
from collections.abc import Iterator

import pypdfium2
import pytest

from storage.light import recipes
from storage.sandbox.launch import Refused, room, run
from tests import hostile_files as files

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
PROGRAM = recipes.office_program()
MISSING = "light.program_missing"
WORDS = "Протокол: Жауап алу"


def made(tmp_path, data: bytes, media_type: str) -> dict[str, bytes] | str:
    """The files by kind, or the code of the refusal."""
    args = {"recipe": recipes.OFFICE, "media_type": media_type, "program": PROGRAM or "/nowhere"}
    with room(tmp_path, 1) as place:
        place.source.write_bytes(data)
        try:
            told, held = run(place, "light", args, recipes.limits(recipes.OFFICE, len(data), 300))
        except Refused as refusal:
            return refusal.code
        assert {"limits", "files", "system-calls"} <= set(held)
        assert {one["tool"] for one in told["files"]} == {"libreoffice", "pypdfium2"}
        return {one["kind"]: (place.out / one["file"]).read_bytes() for one in told["files"]}


def words_in(found: dict[str, bytes]) -> str:
    assert set(found) == {"light_pdf", "light_pages"}
    with pypdfium2.PdfDocument(found["light_pdf"]) as pdf:
        return str(pdf[0].get_textpage().get_text_range())


@pytest.mark.parametrize(("make", "media_type"), [(files.letter, DOCX), (files.open_letter, ODT)])
def test_a_document_becomes_a_pdf_and_its_pages(tmp_path, make, media_type):
    found = made(tmp_path, make(WORDS), media_type)
    if PROGRAM is None:
        assert found == MISSING
    else:
        assert WORDS in words_in(found)


@pytest.fixture
def tracker() -> Iterator[tuple[int, list[bytes]]]:
    """A server of this machine that a document may try to reach: its port, and what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            asked.append(line.recv(200))
            line.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], asked
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_document_reaches_neither_the_network_nor_other_files(tmp_path, tracker):
    """Without the sandbox LibreOffice asks the server for the picture; tried once by hand (docs/media.md)."""
    port, asked = tracker
    secret = tmp_path / "secret.txt"
    secret.write_text("not for documents")
    found = made(tmp_path, files.open_letter(WORDS, f"http://127.0.0.1:{port}/x.png", secret.as_uri()), ODT)
    assert asked == []
    if PROGRAM is None:
        assert found == MISSING
    else:
        assert WORDS in words_in(found)
        assert "not for documents" not in words_in(found)


@pytest.mark.parametrize(
    "make", [lambda: files.letter(WORDS)[:400], files.billion_laughs, lambda: files.office(macros=True)]
)
def test_what_is_no_document_costs_its_copy(tmp_path, make):
    assert made(tmp_path, make(), DOCX) == (MISSING if PROGRAM is None else "light.unreadable")
