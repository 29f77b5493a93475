"""Opening a token: what is refused and how, what is waited for, and that the PIN is tried once."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custody.kernel.errors import Conflict, Denied, NotFound, Unavailable
from custody.pkcs11 import TokenKeys
from tests.hsm import MODULE, PIN, SoftToken, soft_token


@pytest.fixture
def token(tmp_path: Path) -> Iterator[SoftToken]:
    with soft_token(tmp_path) as made:
        yield made


def random_number(session: Any) -> bytes:
    number: bytes = session.generate_random(64)
    return number


def label_of(session: Any) -> str:
    label: str = session.token.label
    return label


def test_an_open_token_works_for_several_at_once(token: SoftToken) -> None:
    first, second = TokenKeys(token.place), TokenKeys(token.place)
    assert first.use(label_of) == second.use(label_of) == "dalel"
    assert len(first.use(random_number)) == 8
    first.close()
    assert second.use(label_of) == "dalel"
    assert first.use(label_of) == "dalel"


def test_what_is_no_module_is_said_so(token: SoftToken, tmp_path: Path) -> None:
    for module in (tmp_path / "absent.so", token.pin_file, Path("/usr/bin/env")):
        with pytest.raises(NotFound, match=r"hsm\.module_missing"):
            TokenKeys(replace(token.place, module=module)).use(label_of)


def test_a_token_that_is_not_there_is_waited_for(token: SoftToken) -> None:
    with pytest.raises(Unavailable, match=r"hsm\.token_missing"):
        TokenKeys(replace(token.place, token="another")).use(label_of)


def test_two_tokens_of_one_label_are_refused(token: SoftToken) -> None:
    token.initialize("dalel")
    with pytest.raises(Conflict, match=r"hsm\.key_ambiguous"):
        TokenKeys(token.place).use(label_of)


def test_a_wrong_pin_is_tried_once_and_never_told(token: SoftToken, caplog: pytest.LogCaptureFixture) -> None:
    token.pin_file.write_text("wrong-4711")
    keys = TokenKeys(token.place)
    for _ in range(2):
        with pytest.raises(Denied, match=r"hsm\.pin_wrong") as refused:
            keys.use(label_of)
        token.pin_file.write_text(PIN)  # right now, but this process does not try again: a token counts
    assert "4711" not in f"{refused.value!r} {refused.value} {caplog.text}"
    assert TokenKeys(token.place).use(label_of) == "dalel"


def test_a_pin_that_others_may_read_is_not_used(token: SoftToken) -> None:
    token.pin_file.chmod(0o640)
    with pytest.raises(Denied, match=r"key\.exposed"):
        TokenKeys(token.place).use(label_of)


def test_the_last_try_of_a_token_is_left_to_people(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    import pkcs11

    module = pkcs11.lib(str(MODULE))
    module.reinitialize()
    real = module.get_token(token_label="dalel")

    class Cautious:
        flags = real.flags | pkcs11.TokenFlag.USER_PIN_FINAL_TRY

    class Module:
        def get_token(self, token_label: str) -> Cautious:
            assert token_label == "dalel"
            return Cautious()

    monkeypatch.setattr(pkcs11, "lib", lambda _: Module())
    with pytest.raises(Denied, match=r"hsm\.pin_locked"):
        TokenKeys(token.place).use(label_of)


def test_a_token_taken_out_is_said_and_put_back_it_goes_on(token: SoftToken) -> None:
    keys = TokenKeys(token.place)
    assert keys.use(label_of) == "dalel"
    token.unplug()
    with pytest.raises(Unavailable, match=r"hsm\.token_missing"):
        keys.use(_find_nothing_unless_plugged)
    token.plug()
    assert keys.use(label_of) == "dalel"


def _find_nothing_unless_plugged(session: Any) -> None:
    from pkcs11 import ObjectClass

    session.get_key(label="absent", object_class=ObjectClass.SECRET_KEY)


def test_an_error_of_the_token_itself_is_named(token: SoftToken) -> None:
    from pkcs11 import exceptions

    calls = []

    def broken(session: Any) -> None:
        calls.append(session)
        raise exceptions.DeviceError

    with pytest.raises(Unavailable, match=r"hsm\.unavailable \(token=dalel, error=DeviceError\)"):
        TokenKeys(token.place).use(broken)
    assert len(calls) == 3
    for error, code in (
        (exceptions.NoSuchKey, "hsm.key_missing"),
        (exceptions.MultipleObjectsReturned, "hsm.key_ambiguous"),
        (exceptions.PinExpired, "hsm.pin_locked"),
    ):
        with pytest.raises((NotFound, Conflict, Denied), match=code):
            TokenKeys(token.place).use(_raising(error))


def _raising(error: type[Exception]) -> Any:
    def act(_: Any) -> None:
        raise error

    return act


def test_without_a_token_the_library_is_not_even_loaded() -> None:
    code = "import sys, custody.pkcs11, custody.signer; assert 'pkcs11' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
