"""Devices' credentials and the own account as pages: shown once, revoked at once, a password changed."""

import re

import pytest
from click.testing import CliRunner

from evidence_api import commands
from evidence_api.cli import main
from tests.whole import PASSWORD, until


def credential(page):
    return re.search(r'<pre class="bytes"[^>]*>(device-[0-9a-f]{8}:[^<]+)</pre>', page)[1]


@pytest.fixture
def case(system):
    case_id = system.case()
    ((erdr,),) = system.rows("SELECT erdr FROM cases WHERE id = :id", id=case_id)
    return case_id, erdr


def issue(visit, **form):
    return visit("administrator", "/devices", "POST", data={"name": "Dock", "days": "30"} | form)


def test_a_credential_is_shown_once_and_what_it_did_is_told(system, visit, case):
    case_id, erdr = case
    issued = issue(visit, cases=f"{erdr}\n")
    assert issued.status_code == 201
    assert issued.headers["cache-control"] == "no-store"
    login, _, secret = credential(issued.text).partition(":")
    listed = visit("administrator", "/devices").text
    assert login in listed
    assert secret not in listed
    ((account_id,),) = system.rows("SELECT id FROM accounts WHERE login = :login", login=login)
    page = f"/devices/{account_id}"
    assert "It has done nothing yet" in visit("administrator", page).text
    device = system.api(None)
    token = device.post("/api/v1/session", login=login, password=secret)["token"]
    said = {"Authorization": f"Bearer {token}"}
    assert device.begin_upload(case_id, b"from the dock", "dock.txt", headers=said).status_code == 201
    for path in ("/", "/account", "/devices", f"/cases/{case_id}", f"/cases/{case_id}/upload", "/ledger", page):
        assert device("GET", path, headers=said).status_code in (403, 404), path
    until(lambda: "Signed in" in visit("administrator", page).text)
    until(lambda: f'<span class="nowrap">{erdr}</span></p>' in visit("administrator", page).text)
    assert "Revoke" not in visit("auditor", page).text
    assert visit("investigator", page).status_code in (403, 404)
    done = visit("administrator", f"{page}/revoke", "POST")
    assert done.headers["location"] == "/devices?done=device_revoked"
    assert device("GET", "/api/v1/cases", headers=said).status_code == 401


def test_a_case_takes_a_device_on_and_off(system, visit, case):
    case_id, _ = case
    login = credential(issue(visit).text).partition(":")[0]
    form = {"login": login, "role": "device"}
    done = visit("investigator", f"/cases/{case_id}/grants", "POST", data=form)
    assert done.headers["location"].endswith("?done=granted"), done.text
    assert "sending device" in visit("investigator", f"/cases/{case_id}/people").text
    as_prosecutor = {"login": login, "role": "prosecutor"}
    assert visit("investigator", f"/cases/{case_id}/grants", "POST", data=as_prosecutor).status_code == 422


@pytest.mark.parametrize(
    ("change", "place"), [({"days": "x"}, "days"), ({"name": ""}, "name"), ({"cases": "12"}, "cases")]
)
def test_what_is_wrong_is_said_at_its_field(visit, change, place):
    answer = issue(visit, **change)
    assert answer.status_code == 422
    assert f'href="#{place}"' in answer.text


def test_a_person_of_any_kind_changes_the_own_password(system, visit):
    for role in ("administrator", "auditor"):
        member = system.add_member(f"pw-{role}", role)
        name = f"pw-{role}"
        other = system.api(None).post("/api/v1/session", login=member.login, password=PASSWORD)["token"]
        assert "End the other sessions" in visit(name, "/account").text
        typed = {"old_password": "wrong", "new_password": "a much longer secret", "again_password": "another"}
        answer = visit(name, "/account/password", "POST", data=typed)
        assert (answer.status_code, 'href="#again_password"' in answer.text) == (422, True)
        typed["again_password"] = typed["new_password"]
        answer = visit(name, "/account/password", "POST", data=typed)
        assert (answer.status_code, 'href="#old_password"' in answer.text) == (422, True)
        assert "a much longer" not in answer.text
        done = visit(name, "/account/password", "POST", data=typed | {"old_password": PASSWORD})
        assert done.headers["location"] == "/account?done=password_changed"
        ended = system.api(None)("GET", "/api/v1/session", headers={"Authorization": f"Bearer {other}"})
        assert ended.status_code == 401
        assert visit(name, "/account").status_code == 200


def test_other_sessions_are_ended_each_under_its_event(system, visit):
    member = system.add_member("elsewhere", "expert")
    others = [system.api(None).post("/api/v1/session", login=member.login, password=PASSWORD) for _ in range(2)]
    done = visit("elsewhere", "/account/sessions", "POST")
    assert done.headers["location"] == "/account?done=sessions_ended"
    for one in others:
        said = {"Authorization": f"Bearer {one['token']}"}
        assert system.api(None)("GET", "/api/v1/session", headers=said).status_code == 401
    closed = system.events(f"account:{member.account_id}", "session.closed")
    assert [one["data"]["reason"] for one in closed] == ["closed_elsewhere"] * 2


def test_the_operator_issues_lists_and_revokes_by_command(system, case, monkeypatch, tmp_path):
    """The credential goes into a new file that nobody else can read, and nowhere else."""
    monkeypatch.setattr(commands.configuration, "load", lambda: system.settings)
    runner, out = CliRunner(), tmp_path / "credential"

    def dalel(*words):
        return runner.invoke(main, ["device", *words])

    issue_it = ("issue", "Сервер видеозаписи", "--case", case[1], "--days", "5", "--out", str(out))
    issued = dalel(*issue_it)
    assert issued.exit_code == 0, issued.output
    login, _, secret = out.read_text().strip().partition(":")
    assert (login in issued.output, secret in issued.output) == (True, False)
    assert out.stat().st_mode & 0o777 == 0o600
    assert dalel(*issue_it).exit_code == 2
    assert out.read_text().startswith(login)
    unknown = dalel("issue", "x", "--case", "000000000000000", "--out", str(tmp_path / "other"))
    assert (unknown.exit_code, (tmp_path / "other").exists()) == (2, False)
    (line,) = [one for one in dalel("list").output.splitlines() if one.startswith(login)]
    assert line.split("\t")[1::2] == ["open", case[1]]
    assert dalel("revoke", login).exit_code == 0
    assert f"{login}\trevoked" in dalel("list").output
    assert (dalel("revoke", login).exit_code, dalel("revoke", "device-none").exit_code) == (2, 2)
    answer = system.api(None)("POST", "/api/v1/session", json={"login": login, "password": secret})
    assert answer.json()["code"] == "session.refused"
