"""Messages as people wrote them and as attackers do: read, set as PDF, at a bounded cost. In the test's process."""

import base64
import hashlib
import quopri
from pathlib import Path

import pypdfium2
import pytest

from custody.kernel.errors import Invalid
from storage.identify import mail, outlook
from storage.identify.letter import MOST_PARTS
from storage.light import letter as setting
from storage.light import making, recipes
from tests import compound
from tests import hostile_files as files

OUTLOOK = "application/vnd.ms-outlook"
WORDS = "Сәлем, Әйгерім! Акт № 7 — ёлки"
RUSSIAN = "Привет, Айгерим! Акт № 7"


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")


def letters(data: bytes):
    Path("../in/original").write_bytes(data)
    return mail.letters(Path("../in/original"))


def made(data: bytes, media_type: str = "message/rfc822"):
    """The words of the PDF, its pages, and the text."""
    Path("../in/original").write_bytes(data)
    args = {"recipe": recipes.recipe_of(media_type), "media_type": media_type}
    files_made = making.run(args, Path("../in/original"), lambda done, total: None)["files"]
    assert [one["kind"] for one in files_made] == ["light_pdf", "light_pages", "light_text"]
    assert all(one["tool"] and one["tool_version"] and one["parameters"] for one in files_made)
    with pypdfium2.PdfDocument("light.pdf") as pdf:
        words = "\n".join(page.get_textpage().get_text_range() for page in pdf)
        assert len(files_made[1]["details"]["pages"]) == len(pdf)
    return words.replace("\r", ""), files_made[1]["details"]["pages_total"], Path("light.txt").read_text()


def message(body: bytes, fields: str, subject: str = "s") -> bytes:
    return f"From: a@example.kz\r\nTo: b@example.kz\r\nSubject: {subject}\r\n{fields}\r\n\r\n".encode() + body


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251", "iso-8859-5"])
@pytest.mark.parametrize("way", ["8bit", "base64", "quoted-printable"])
def test_a_text_in_any_charset_and_any_coding(charset, way):
    data = (WORDS if charset == "utf-8" else RUSSIAN.replace("№", "N")).encode(charset)
    coded = {"8bit": data, "base64": base64.encodebytes(data), "quoted-printable": quopri.encodestring(data)}[way]
    subject = f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    fields = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {way}"
    (one,) = letters(message(coded, fields, subject)).found
    assert one.texts[0][0].strip() == data.decode(charset)
    assert dict(one.headers)["Subject"] == data.decode(charset)


def test_fields_in_raw_eight_bit_letters_are_read_in_the_charset_of_the_text():
    data = message(RUSSIAN.encode("cp1251"), "Content-Type: text/plain; charset=windows-1251")
    data = data.replace(b"Subject: s", b"Subject: " + "Счёт на оплату".encode("cp1251"))
    assert ("Subject", "Счёт на оплату") in letters(data).found[0].headers


def test_a_word_of_a_field_may_be_cut_in_the_middle_of_a_letter_and_stand_in_quotes():
    data = "Қасымов".encode()
    first, second = base64.b64encode(data[:5]).decode(), base64.b64encode(data[5:]).decode()
    raw = message(b"x", f'Reply-To: "=?utf-8?B?{first}?=\r\n =?utf-8?B?{second}?=" <q@example.kz>')
    assert dict(letters(raw).found[0].headers)["Reply-To"] == '"Қасымов" <q@example.kz>'


def test_a_message_as_pdf_says_what_it_claims_and_what_lies_in_it():
    words, pages, text = made(files.mail())
    assert pages == 1
    for found in (words, text):
        assert "Иван <a@example.kz>" in found
        assert "Mon, 1 Jan 2026 10:00:00 +0500" in found
        assert "Привет, мир" in found
        assert "счёт.pdf" in found
        assert "stolen" not in found
        assert "192.0.2.1" not in found
    assert f"sha256:{hashlib.sha256(b'%PDF').hexdigest()}" in text
    assert "sha256:" in words


def test_the_same_message_gives_the_same_bytes():
    made(files.mail())
    first = Path("light.pdf").read_bytes()
    made(files.mail())
    assert Path("light.pdf").read_bytes() == first


def test_letters_that_the_font_lacks_are_named_in_the_pdf_and_kept_in_the_text():
    words, _, text = made(message("证据 📷 \x07 <b>&amp;".encode(), "Content-Type: text/plain; charset=utf-8"))
    assert "[U+8BC1]" in words
    assert "<b>&amp;" in words
    assert "证据 📷" in text


def test_of_two_forms_of_a_text_the_other_is_listed():
    inside = (
        "--x\r\nContent-Type: text/plain\r\n\r\nplain words\r\n--x\r\n"
        "Content-Type: multipart/related; boundary=y\r\n\r\n"
        "--y\r\nContent-Type: text/html\r\n\r\n<p>other words</p>\r\n--y\r\nContent-Type: image/png; name=p.png\r\n\r\n"
        "png\r\n--y--\r\n--x--\r\n"
    )
    (one,) = letters(message(inside.encode(), "Content-Type: multipart/alternative; boundary=x")).found
    assert [text.strip() for text, _ in one.texts] == ["plain words"]
    assert [(part.media_type, part.attached) for part in one.parts] == [("text/html", False), ("image/png", True)]


def test_a_forwarded_message_is_read_too():
    inner = "From: c@example.kz\r\nSubject: inner\r\n\r\ninner words\r\n"
    body = f"--x\r\n\r\nouter words\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n{inner}--x--\r\n"
    data = message(body.encode(), "Content-Type: multipart/mixed; boundary=x")
    assert [one.depth for one in letters(data).found] == [0, 1]
    words, _, text = made(data)
    for found in (words, text):
        assert found.index("outer words") < found.index("Письмо внутри") < found.index("inner words")
        assert "c@example.kz" in found


@pytest.mark.parametrize("code_page", [None, 1251])
def test_a_message_of_outlooks_as_pdf(code_page):
    words, _, text = made(files.outlook(code_page), OUTLOOK)
    for found in (words, text):
        for said in ("Иван Петров <ivan@example.kz>", "Акт сверки", "2026-03-14T10:00:00Z", "Во вложении акт."):
            assert said in found
        assert "Бухгалтерия <b@example.kz>" in found
        assert found.index("Во вложении акт.") < found.index("акт.pdf") < found.index("inner words")
        assert "stolen" not in found
    assert hashlib.sha256(b"%PDF-1.4").hexdigest() in text
    assert "text/html" in text
    assert code_page or "Әйгерім <a@example.kz>" in words


def test_a_message_of_outlooks_with_html_alone_is_reduced_to_words():
    data = compound.compound(compound.message({0x1013: "<style>x</style><p>Сәлем".encode(), 0x3FDE: b""}))
    Path("../in/original").write_bytes(data)
    (one,) = outlook.letters(Path("../in/original")).found
    assert [html for _, html in one.texts] == [True]


def chained(depth: int) -> bytes:
    tree = compound.message({0x1000: "core"}, inside=True)
    for _ in range(depth):
        tree = compound.message({0x1000: "words"}, attached=[("x", "", tree)], inside=True)
    return compound.compound(compound.message({0x1000: "top"}, attached=[("x", "", tree)]))


@pytest.mark.parametrize("depth", [1, 60])
def test_messages_in_messages_of_outlooks(depth):
    Path("../in/original").write_bytes(chained(depth))
    assert len(outlook.letters(Path("../in/original")).found) == depth + 2


@pytest.mark.parametrize("data", [files.old_office(), files.outlook()[:700], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_what_is_no_message_of_outlooks_is_refused(data):
    with pytest.raises(Invalid, match=r"light\.unreadable"):
        made(data, OUTLOOK)


def nested(depth: int) -> bytes:
    start = "".join(f"--b{at}\r\nContent-Type: multipart/mixed; boundary=b{at + 1}\r\n\r\n" for at in range(depth))
    return message(start.encode() + b"core", "Content-Type: multipart/mixed; boundary=b0")


def many(count: int) -> bytes:
    parts = "".join(f"--x\r\nContent-Type: a/b; name=f{at}\r\n\r\n{at}\r\n" for at in range(count))
    return message(parts.encode() + b"--x--", "Content-Type: multipart/mixed; boundary=x")


HOSTILE = {
    "deeper than Python goes": nested(1100),
    "deep": nested(200),
    "ten thousand parts": many(10_000),
    "no end": message(b"--x\r\n\r\nwords", "Content-Type: multipart/mixed; boundary=x"),
    "no parts": message(b"words", "Content-Type: multipart/mixed; boundary=x"),
    "no boundary": message(b"words", "Content-Type: multipart/mixed"),
    "a field of a megabyte": message(b"words", "Cc: " + "a@b.kz, " * (1 << 17)),
    "fields that never end their words": message(b"words", "Cc: " + "=?a?q?" * (1 << 16)),
    "fields in fields": message(b"words", "Cc: " + "(" * (1 << 16)),
    "a million fields": message(b"words", "\r\n".join(["Cc: a"] * 200_000)),
    "parameters without end": message(b"words", 'Content-Type: text/plain; a="' + ';b="' * (1 << 16)),
    "names of impossible charsets": many(3).replace(b"name=f1", b"name*=a%00b''%0a%0a" + b"%0a" * 500),
    "a name of the widest letters": message(
        b"x", 'Content-Type: a/b; name="' + "\u2031\u0429W" * 600 + '"\r\nCc: ' + "\u2031" * 5000
    ),
    "one line": message(b"w" * (1 << 20), ""),
    "only line ends": message(b"\n" * (1 << 20), ""),
    "short lines": message(b"a\n" * (1 << 19), ""),
    "broken base64": message(b"!!!! =", "Content-Transfer-Encoding: base64"),
    "a charset that is none": message(b"words", "Content-Type: text/plain; charset=" + "x" * 3000),
    "control characters": message(bytes(range(256)) * 20, "Content-Type: text/plain; charset=\x00"),
    "HTML in HTML": message(b"<div>" * 100_000 + b"words", "Content-Type: text/html"),
    "nothing": b"From: a\r\nTo: b\r\nDate: c\r\n\r\n",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_is_set_as_far_as_it_can_be(data, monkeypatch):
    """How long it may take, the sandbox says; here it has to end in a PDF of its header at least."""
    monkeypatch.setattr(setting, "SET_LINES", 200)
    monkeypatch.setattr(setting, "SET_CHARS", 20_000)
    _, pages, text = made(data)
    assert 1 <= pages <= setting.SET_LINES
    assert "From: a" in text


def test_what_was_left_out_is_said(monkeypatch):
    found = letters(many(10_000))
    assert found.more
    assert len(found.found[0].parts) < MOST_PARTS
    monkeypatch.setattr(setting, "SET_LINES", 200)
    words, _, _ = made(message(b"line\n" * 205, ""))
    assert "показано не всё" in words
