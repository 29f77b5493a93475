import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Invalid
from evidence_api.http import idempotency
from evidence_api.http.language import negotiate
from evidence_api.http.paging import Keyset
from evidence_api.registry.facts import Page

OFFERED = ("kk", "ru", "en")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "kk"),
        ("", "kk"),
        ("ru", "ru"),
        ("ru-KZ,ru;q=0.9,en;q=0.8", "ru"),
        ("en;q=0.5, ru;q=0.7", "ru"),
        ("de, fr;q=0.9", "kk"),
        ("de, en;q=0.1", "en"),
        ("en;q=0", "kk"),
        ("en;q=abc, ru;q=0.2", "ru"),
        ("en;level=1, ru;q=0.2", "ru"),
        ("KK-Cyrl-KZ", "kk"),
        ("*", "kk"),
    ],
)
def test_the_language_wanted_most_is_chosen(header: str | None, language: str) -> None:
    assert negotiate(header, OFFERED) == language


KEYS = Keyset("things", (str, int))


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(-(2**62), 2**62)
)
def test_a_cursor_comes_back_as_its_key(text: str, number: int) -> None:
    assert KEYS.decode(KEYS.encode((text, number))) == (text, number)


def cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "é",
        "!!!!",
        "AAAA",
        cursor([1, "things", "a"]),
        cursor([1, "things", "a", "1"]),
        cursor([1, "things", "a", True]),
        cursor([1, "things", "a", 1.0]),
        cursor([1, "others", "a", 1]),
        cursor([2, "things", "a", 1]),
        cursor([1, "things", "a", 1, 2]),
        cursor([1, "things", "a\0", 1]),
        cursor([1, "things", "a", 2**63]),
        cursor({"1": "things"}),
        cursor([1, "things", "a", 1]) + "=",
        cursor([1, "things", "a", 1]) + "\n",
        base64.urlsafe_b64encode(b'[1, "things", "a", 1]').decode().rstrip("="),
        base64.urlsafe_b64encode(b"[" * 300).decode(),
    ],
)
def test_what_we_did_not_make_is_no_cursor(text: str) -> None:
    with pytest.raises(Invalid, match=r"paging\.cursor_invalid"):
        KEYS.decode(text)


def test_pages_say_how_to_go_on() -> None:
    assert KEYS.decode(None) is None
    assert KEYS.out(Page((1, 2), None), str) == {"items": ["1", "2"], "next": None}
    assert KEYS.out(Page((1,), ("a", 1)), str)["next"] == KEYS.encode(("a", 1))


@pytest.mark.parametrize("key", ["", "x" * 129, "two words", "ключ", "a\n"])
def test_what_is_no_idempotency_key(key: str) -> None:
    with pytest.raises(Invalid, match=r"idempotency\.key_invalid"):
        idempotency.parse_key(key)


def test_requests_differ_in_any_of_their_parts() -> None:
    requests = [("POST", "/a", "", b""), ("POST", "/", "a", b""), ("POST", "/", "", b"a"), ("POST/", "", "", b"a")]
    assert len({idempotency.request_digest(*request) for request in requests}) == 4
    assert idempotency.parse_key("abc-1") == "abc-1"
