import pytest

from custody.kernel.errors import Conflict, DalelError, Invalid
from evidence_api.registry.model import (
    GRANTABLE,
    NEXT,
    CaseNumber,
    ExhibitForm,
    ExhibitState,
    Role,
    check_grant,
    check_step,
    parse_login,
    parse_person_name,
    parse_role,
    parse_sha256,
    parse_text,
)

DIGEST = "sha256:" + "a" * 64


def form(**changes: object) -> ExhibitForm:
    given = {
        "filename": "a.pdf",
        "folder": "",
        "sha256": DIGEST,
        "size_bytes": 1,
        "basis": "seizure",
        "purpose": "pretrial",
        "retain_days": 30,
    }
    return ExhibitForm(**{**given, **changes})  # type: ignore[arg-type]  # the table below gives each field its type


def test_a_case_number_is_its_digits() -> None:
    assert str(CaseNumber.parse("123456789012345")) == "123456789012345"
    assert CaseNumber.parse("1234567890123456", "[0-9]{15,16}").digits == "1234567890123456"


NO_CASE_NUMBERS = (
    "",
    "12345678901234",
    "1234567890123456",
    " 123456789012345",
    "123456789012345\n",
    "+23456789012345",
    "١٢٣٤٥٦٧٨٩٠١٢٣٤٥",
    "１２３４５６７８９０１２３４５",
    "12345678901234²",
)


@pytest.mark.parametrize("text", NO_CASE_NUMBERS)
def test_nothing_else_is_a_case_number(text: str) -> None:
    with pytest.raises(Invalid, match=r"case\.number_invalid"):
        CaseNumber.parse(text)


def test_a_loose_pattern_still_takes_ascii_digits_only() -> None:
    with pytest.raises(Invalid):
        CaseNumber.parse("١٢٣", r".*")


def test_roles_and_who_may_be_granted_which() -> None:
    assert parse_role("defence") is Role.DEFENCE
    with pytest.raises(Invalid, match=r"role\.unknown"):
        parse_role("root")
    for account_role in Role:
        for role in Role:
            if role in GRANTABLE[account_role]:
                check_grant(account_role, role)
            else:
                with pytest.raises(Invalid, match=r"grant\.role_not_allowed"):
                    check_grant(account_role, role)


def test_logins_are_kept_in_lower_case() -> None:
    assert parse_login("Saule.K@court") == "saule.k@court"


@pytest.mark.parametrize("text", ["", "ab", "a" * 65, "сауле", "a b c", ".abc", "abc.", "abc\n", "K\u212aa"])
def test_what_is_no_login(text: str) -> None:
    with pytest.raises(Invalid, match=r"account\.login_invalid"):
        parse_login(text)


def test_names_and_texts_are_trimmed_and_composed() -> None:
    assert parse_person_name("  Сәуле \u0438\u0306 ") == "Сәуле й"
    assert parse_text(" УПК, ст. 123 ", "basis") == "УПК, ст. 123"


@pytest.mark.parametrize("text", ["", "   ", "a\0b", "a\nb", "\ud800", "a\u2028b", "x" * 501])
def test_what_is_no_text(text: str) -> None:
    with pytest.raises(Invalid, match=r"text\.invalid"):
        parse_text(text, "basis")
    with pytest.raises(Invalid, match=r"account\.name_invalid"):
        parse_person_name(text)


@pytest.mark.parametrize(
    "text", ["", "a" * 64, "sha256:" + "A" * 64, "sha256:" + "a" * 63, "md5:" + "a" * 64, DIGEST + "\n"]
)
def test_what_is_no_digest(text: str) -> None:
    with pytest.raises(Invalid, match=r"digest\.invalid"):
        parse_sha256(text)


def test_a_form_that_says_all_is_kept() -> None:
    checked = form(recorded_at=" 2026 ").check(1)
    assert (checked.basis, checked.recorded_at, checked.sha256) == ("seizure", "2026", DIGEST)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size_bytes": 0}, "exhibit.empty"),
        ({"size_bytes": -1}, "exhibit.empty"),
        ({"size_bytes": 101}, "exhibit.too_large"),
        ({"retain_days": 0}, "retention.bad_days"),
        ({"retain_days": 36_501}, "retention.bad_days"),
        ({"basis": ""}, "retention.bad_basis"),
        ({"purpose": " "}, "retention.bad_purpose"),
        ({"recorded_at": "\0"}, "text.invalid"),
        ({"filename": "a/b"}, "upload.bad_name"),
        ({"folder": "/"}, "upload.bad_folder"),
        ({"sha256": "a"}, "digest.invalid"),
    ],
)
def test_a_form_that_does_not(changes: dict[str, object], code: str) -> None:
    with pytest.raises(DalelError) as refused:
        form(**changes).check(100)
    assert refused.value.code == code


def test_every_step_that_is_not_listed_is_refused() -> None:
    assert set(NEXT) == set(ExhibitState)
    for now in ExhibitState:
        for to in ExhibitState:
            if to in NEXT[now]:
                check_step(now, to)
            else:
                with pytest.raises(Conflict, match=r"exhibit\.wrong_state"):
                    check_step(now, to)
    assert NEXT[ExhibitState.SEALED] == frozenset()
