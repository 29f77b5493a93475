"""A form that comes back was refused: that is on the record before the page is shown (U1), and said at its field."""

import re


def refusals(system, case_id):
    found = system.events(f"case:{case_id}", "act.refused")
    return [(one["actor"]["id"], one["data"]["action"], one["data"]["code"]) for one in found]


def test_a_person_who_does_not_exist(system, visit):
    case_id = system.case()
    answer = visit("prosecutor", f"/cases/{case_id}/grants", "POST", data={"login": "nobody", "role": "defence"})
    assert answer.status_code == 422
    assert 'value="nobody"' in answer.text
    me = system.members["prosecutor"].account_id
    assert refusals(system, case_id) == [(me, "case.grant", "account.not_found")]


def test_a_form_of_no_case_is_on_the_chain_of_the_account(system, visit):
    member = system.add_member("typist", "investigator")
    answer = visit("typist", "/cases", "POST", data={"erdr": "12", "title": "Test"})
    assert answer.status_code == 422
    (refused,) = system.events(f"account:{member.account_id}", "act.refused")
    assert refused["data"] == {"action": "case.create", "code": "case.number_invalid"}


def test_each_refused_file_of_a_plain_form(system, visit):
    case_id = system.case()
    form = {"basis": "seizure", "purpose": "pretrial", "retain_days": "30"}
    files = [("files", ("empty.txt", b"")), ("files", ("two.txt", b"two")), ("files", ("gone.txt", b""))]
    answer = visit("investigator", f"/uploads/{case_id}", "POST", data=form, files=files)
    assert answer.status_code == 200
    assert [code for _, _, code in refusals(system, case_id)] == ["exhibit.empty", "exhibit.empty"]


def test_an_act_that_is_done_is_no_refusal(system, visit):
    case_id = system.case()
    login = system.members["other prosecutor"].login
    done = visit("prosecutor", f"/cases/{case_id}/grants", "POST", data={"login": login, "role": "prosecutor"})
    assert done.headers["location"].endswith("?done=granted"), done.text
    assert refusals(system, case_id) == []


def test_a_category_of_a_plain_form_gives_the_term(system, visit):
    case_id = system.case()
    page = visit("investigator", f"/cases/{case_id}/upload").text
    assert '<option value="grave"' in page
    form = {"basis": "seizure", "purpose": "pretrial", "category": "grave", "retain_days": "30"}
    files = [("files", ("by rule.txt", b"by rule")), ("files", ("too.txt", b"too"))]
    assert visit("investigator", f"/uploads/{case_id}", "POST", data=form, files=files).status_code == 200
    free = form | {"category": ""}
    files = [("files", ("free.txt", b"free"))]
    assert visit("investigator", f"/uploads/{case_id}", "POST", data=free, files=files).status_code == 200
    said = system.rows(
        "SELECT filename, category, retain_days FROM exhibits WHERE case_id = :case ORDER BY number", case=case_id
    )
    assert [tuple(row) for row in said] == [
        ("by rule.txt", "grave", 5475),
        ("too.txt", "grave", 5475),
        ("free.txt", None, 30),
    ]
    refused = visit(
        "investigator",
        f"/uploads/{case_id}",
        "POST",
        data=form | {"category": "unheard"},
        files=[("files", ("n", b"n"))],
    )
    assert refused.status_code == 422
    assert "retention.unknown_category" in refused.text


def test_a_category_that_was_not_chosen_is_asked_for(system, visit):
    exhibit_id = system.sealed(system.case(), b"category", "category.txt")
    answer = visit("investigator", f"/exhibits/{exhibit_id}/retention", "POST", data={"category": ""})
    assert answer.status_code == 422
    assert 'href="#category"' in answer.text
    answer = visit("investigator", f"/exhibits/{exhibit_id}/retention", "POST", data={"until": ""})
    assert 'href="#until"' in answer.text


def test_a_wrong_rule_is_told_at_its_field(system, visit):
    page = visit("administrator", "/retention-rules").text
    rows = dict(re.findall(r'<input[^>]*? name="([a-z_]+-\d+)"[^>]*? value="([^"]*)"', page))
    kept = {f"extendable-{place}": "1" for place in re.findall(r'name="extendable-(\d+)" value="1" checked', page)}
    for field, wrong, place in (
        ("code-1", "No good", "code-1"),
        ("code-1", rows["code-0"], "code-1"),
        ("term_days-2", "1", "term_days-2"),
        ("ru-3", "", "kk-3"),
    ):
        answer = visit("administrator", "/retention-rules", "POST", data=rows | kept | {field: wrong})
        assert answer.status_code == 422
        assert f'href="#{place}"' in answer.text, (field, wrong)
        assert re.search(f'<input[^>]* id="{place}"[^>]* aria-describedby="rule-error"', answer.text)
