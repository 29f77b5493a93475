"""What is listed for whom: cases for those who grant access, the chain of an exhibit in parts, alarms by name."""

import re
from types import SimpleNamespace
from uuid import UUID

from evidence_api.queries import cases, fixity
from evidence_api.queries.fixity import Place
from tests import acts
from tests.whole import until


def test_who_grants_access_finds_every_case(system, visit):
    case_id = system.case()
    erdr = str(system.rows("SELECT erdr FROM cases WHERE id = :case", case=case_id)[0][0])
    alone = system.api("investigator").post("/api/v1/cases", erdr="88" + erdr[2:], title="Nobody else")["id"]
    page = visit("administrator", f"/?erdr={erdr}").text
    assert re.findall(r'<h2 class="govuk-heading-s"><a class="govuk-link" href="([^"]+)">', page) == [
        f"/cases/{case_id}/people"
    ]
    assert "people have access" in page
    assert "No prosecutor" not in page
    unstaffed = visit("administrator", "/?erdr=88").text
    assert f'href="/cases/{alone}/people"' in unstaffed
    assert "No prosecutor: give access" in unstaffed
    assert visit("administrator", f"/cases/{alone}/people").status_code == 200
    assert visit("administrator", f"/cases/{alone}").status_code == 403
    assert "No case has a number that begins with %_" in visit("administrator", "/?erdr=%25_").text
    assert f"/cases/{alone}" not in visit("prosecutor", "/?erdr=88").text


def test_a_long_chain_is_shown_in_parts(system, visit, monkeypatch):
    exhibit_id = system.sealed(system.case(), acts.picture(911), "long.png")
    for _ in range(3):
        system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content")
    waiting = "SELECT count(*) FROM event_outbox WHERE item = :item"
    until(lambda: system.rows(waiting, item=f"exhibit:{exhibit_id}")[0][0] == 0)
    monkeypatch.setattr(cases, "CHAIN_PAGE", 4)
    total = len(system.events(f"exhibit:{exhibit_id}"))
    here = f"/exhibits/{exhibit_id}"
    seen, address = [], here
    while address:
        page = visit("investigator", address).text
        seen += re.findall(r"<p class=\"small muted\">№ ([^·]+) ·", page)
        found = re.search(r'<a class="govuk-link" href="(/exhibits/[^"]*\?before=\d+)#chain-title">', page)
        address = found[1] if found else None
    assert len(seen) == len(set(seen)) == total
    assert [int(re.sub(r"\D", "", one)) for one in seen] == sorted(
        (int(re.sub(r"\D", "", one)) for one in seen), reverse=True
    )
    first = visit("auditor", here).text
    assert f'href="{here}/record#events-title"' in first
    assert f"on this page: 4, older: {total - 4}." in first
    view = cases.exhibit_view(system.services, UUID(exhibit_id), before=1)
    assert [one.item_seq for one in view.chain] == [0]
    assert view.ciphertext is not None


def test_what_a_difference_is_about(system):
    case_id = system.case()
    exhibit_id = system.sealed(case_id, b"about", "about.txt")
    alarms = [SimpleNamespace(item=item) for item in (f"exhibit:{exhibit_id}", "system")]
    erdr = str(system.rows("SELECT erdr FROM cases WHERE id = :case", case=case_id)[0][0])
    assert fixity.places(system.services, alarms) == {f"exhibit:{exhibit_id}": Place("exhibit", 1, erdr)}
