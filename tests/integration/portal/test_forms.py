"""A form that comes back was refused: that is on the record before the page is shown (U1)."""


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
