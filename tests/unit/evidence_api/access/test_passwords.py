import pytest

from custody.kernel.errors import Invalid
from evidence_api.access.passwords import LONGEST_BYTES, Passwords, check_new

CHEAP = Passwords(passes=1, memory_kib=8, lanes=1)


def test_a_password_is_kept_as_argon2id_and_recognised() -> None:
    kept = CHEAP.hash("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert CHEAP.verify("correct horse battery", kept)
    assert not CHEAP.verify("correct horse batteries", kept)
    assert CHEAP.hash("correct horse battery") != kept


def test_the_same_letters_typed_otherwise_are_the_same_password() -> None:
    assert CHEAP.verify("\u0438\u0306 и ещё слова", CHEAP.hash("\u0439 и ещё слова"))


def test_nobody_has_a_password() -> None:
    assert not CHEAP.verify("a password that nobody has", None)


@pytest.mark.parametrize("kept", ["", "plain", "$argon2id$broken"])
def test_a_broken_hash_opens_nothing(kept: str) -> None:
    assert not CHEAP.verify("anything", kept)


def test_an_endless_password_costs_no_hash() -> None:
    assert not CHEAP.verify("x" * (LONGEST_BYTES + 1), CHEAP.hash("x"))
    assert not CHEAP.verify("\ud800", CHEAP.hash("x")[:-1])


def test_other_parameters_make_a_hash_outdated() -> None:
    kept = CHEAP.hash("correct horse battery")
    assert not CHEAP.outdated(kept)
    assert Passwords(passes=2, memory_kib=8, lanes=1).outdated(kept)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password.too_short"),
        ("т" * 11, "password.too_short"),
        ("қ" * 600, "password.too_long"),
        ("aaaaaaaaaaaaaa", "password.too_common"),
        ("Password12345", "password.too_common"),
        ("сауле-investigator-", "password.too_common"),
        ("12345678901234", "password.too_common"),
    ],
)
def test_what_a_new_password_may_not_be(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_new(password, "сауле-investigator")
    assert refused.value.code == code
    assert password not in refused.value.params.values()


@pytest.mark.parametrize("password", ["correct horse battery", "тоғыз өлең 99", "zk4-Hq81-mmQ0"])
def test_what_a_new_password_may_be(password: str) -> None:
    assert check_new(password, "saule") == password
