"""Every route that gives content gives it the same way; and what is listed can be had, all of it.

The routes are found by walking the application: one that returns bytes and stands in neither table fails the test.
"""

import base64
import hashlib
from collections.abc import Callable

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.responses import Response

from custody.kernel.ids import RandomIds
from custody.scribe import EventScribe
from evidence_api.http.main import ROOT_ROUTERS, ROUTERS
from tests import acts
from tests.integration.api.refusals import refused
from tests.integration.api.test_content import Unwritable, Watched
from tests.whole import MovedClock, System


def an_original(system: System) -> tuple[str, str, str]:
    """A path of this kind, who may read it, and the chain its reading is recorded on."""
    exhibit_id = system.sealed(system.case(), acts.picture(7), "original.png")
    return f"/exhibits/{exhibit_id}/content", "prosecutor", f"exhibit:{exhibit_id}"


def a_rendition(system: System) -> tuple[str, str, str]:
    exhibit_id = system.sealed(system.case(), acts.picture(8), "source.png")
    return f"/renditions/{acts.burned(system, exhibit_id)[0]}/content", "prosecutor", f"exhibit:{exhibit_id}"


def a_package(system: System) -> tuple[str, str, str]:
    case_id = system.case()
    renditions = acts.burned(system, system.sealed(case_id, acts.picture(9), "disclosed.png"))
    disclosure_id = acts.ready(system, case_id, renditions)
    return f"/disclosures/{disclosure_id}/package", "defence", f"disclosure:{disclosure_id}"


def a_light_copy(system: System) -> tuple[str, str, str]:
    exhibit_id, copy_id = acts.lightened(system, acts.picture(11), "light.png")
    return f"/light-copies/{copy_id}/content", "prosecutor", f"exhibit:{exhibit_id}"


def a_page(system: System) -> tuple[str, str, str]:
    exhibit_id, copy_id = acts.lightened(system, (acts.FILES / "protocol.pdf").read_bytes(), "pages.pdf")
    return f"/light-copies/{copy_id}/pages/2", "prosecutor", f"exhibit:{exhibit_id}"


CONTENT: dict[str, Callable[[System], tuple[str, str, str]]] = {
    "/exhibits/{exhibit_id}/content": an_original,
    "/renditions/{rendition_id}/content": a_rendition,
    "/disclosures/{disclosure_id}/package": a_package,
    "/light-copies/{copy_id}/content": a_light_copy,
    "/light-copies/{copy_id}/pages/{page}": a_page,
}
"""How to make one of each."""

NO_CONTENT = {
    "/uploads/{upload_id}": "how far an upload is",
    "/log/checkpoint": "public and signed by itself",
    "/log/policy": "public",
    "/log/tsa-roots": "public",
    "/log/tile/{path:path}": "public hashes",
    "/log/handover": "public: where the log goes on",
    "/log/{number:int}/checkpoint": "public and signed by itself",
    "/log/{number:int}/handover": "public: where the log goes on",
    "/log/{number:int}/tile/{path:path}": "public hashes",
    "/receipts/{receipt_id}/pdf": "a paper about exhibits, of which only the issuing is recorded (test_deliveries)",
}
"""Other routes that answer bytes, and why they are no evidence."""


def routes_of(router: APIRouter) -> list[APIRoute]:
    found = []
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        found += routes_of(inner) if isinstance(inner, APIRouter) else [route] if isinstance(route, APIRoute) else []
    return found


def test_the_tables_name_every_route_that_answers_bytes():
    answering = set()
    for router in (*ROUTERS, *ROOT_ROUTERS):
        for route in routes_of(router):
            said = route.endpoint.__annotations__.get("return")
            if isinstance(said, type) and issubclass(said, Response) and route.methods & {"GET", "HEAD"}:
                answering.add(route.path)
    assert answering == set(CONTENT) | set(NO_CONTENT)


@pytest.fixture(scope="module", params=list(CONTENT))
def thing(request, system):
    path, who, item = CONTENT[request.param](system)
    path = f"/api/v1{path}"
    whole = system.api(who)("GET", path)
    assert whole.status_code == 200
    return path, who, item, whole


def reads(system, item):
    found = [one["data"] for one in system.events(item) if one["type"].startswith("content.")]
    return [data["range"] for data in found if "range" in data]


def test_it_says_what_it_is(system, thing):
    """A strong tag that is the digest, RFC 9530's digest of the whole, its length; HEAD the same and nothing read."""
    path, who, item, whole = thing
    digest = hashlib.sha256(whole.content)
    assert whole.headers["etag"] == f'"sha256:{digest.hexdigest()}"'
    assert whole.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert (whole.headers["accept-ranges"], whole.headers["content-length"]) == ("bytes", str(len(whole.content)))
    before = reads(system, item)
    head = system.api(who)("HEAD", path)
    same = ("etag", "repr-digest", "accept-ranges", "content-length", "content-type", "content-disposition")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in same] == [whole.headers[name] for name in same]
    assert reads(system, item) == before


def test_it_is_read_in_parts_and_gone_on_with(system, thing):
    """What broke off goes on under the tag it began with; each part is on the record with its bytes."""
    path, who, item, whole = thing
    api, size, before = system.api(who), len(whole.content), reads(system, item)
    first = api("GET", path, headers={"Range": "bytes=0-99"})
    rest = api("GET", path, headers={"Range": "bytes=100-", "If-Range": first.headers["etag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == whole.content
    assert rest.headers["content-range"] == f"bytes 100-{size - 1}/{size}"
    assert rest.headers["repr-digest"] == whole.headers["repr-digest"]
    end = api("GET", path, headers={"Range": "bytes=-7"})
    assert end.content == whole.content[-7:]
    assert reads(system, item) == [*before, "0-99", f"100-{size - 1}", f"{size - 7}-{size - 1}"]


def test_many_ranges_or_another_tag_give_the_whole(system, thing):
    path, who, item, whole = thing
    before = reads(system, item)
    for asked in ({"Range": "bytes=0-1,5-9"}, {"Range": "bytes=5-", "If-Range": '"sha256:00"'}):
        answer = system.api(who)("GET", path, headers=asked)
        assert (answer.status_code, answer.content) == (200, whole.content)
    assert reads(system, item) == [*before, "all", "all"]


def test_what_gives_no_byte_is_no_reading(system, thing):
    """A range behind the end; bytes that the reader has already."""
    path, who, item, whole = thing
    api, before, tag = system.api(who), reads(system, item), whole.headers["etag"]
    answer = api("GET", path, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = api("GET", path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert reads(system, item) == before
    assert api("GET", path, headers={"If-None-Match": '"other"'}).content == whole.content


def test_no_byte_without_its_durable_event(system, thing):
    path, who, item, _ = thing
    clock = MovedClock()
    ids = RandomIds(clock)
    url = system.settings.database_url.get_secret_value()
    database = Unwritable(url, clock, ids, EventScribe(clock, ids), pool_size=2)
    store = Watched(system.services.store, lambda: None)
    before = reads(system, item)
    api = system.api(who, system.variant(database=database, store=store))
    refused(lambda said: api("GET", path, headers=said), 503, "database.unavailable")
    assert (store.seen, reads(system, item)) == ([], before)
    database.close()


def pages(api, path):
    """Everything a list tells, page by page."""
    cursor, found = "", []
    while cursor is not None:
        page = api.get(f"{path}?limit=2{cursor and '&cursor=' + cursor}")
        found += page["items"]
        cursor = page.get("next")
    return found


def test_what_is_listed_can_be_had(system):
    """n listed, n downloadable, none twice: exhibits page by page, renditions, and the files of a round."""
    case_id = system.case()
    sent = {system.sealed(case_id, acts.picture(20 + number), f"{number}.png") for number in range(5)}
    prosecutor = system.api("prosecutor")
    listed = pages(prosecutor, f"/api/v1/cases/{case_id}/exhibits")
    assert [one["number"] for one in listed] == [1, 2, 3, 4, 5]
    assert {one["id"] for one in listed} == sent
    for one in listed:
        content = prosecutor("GET", f"/api/v1/exhibits/{one['id']}/content").content
        assert (one["sha256"], one["size_bytes"]) == ("sha256:" + hashlib.sha256(content).hexdigest(), len(content))
    source = listed[0]["id"]
    made = acts.burned(system, source)
    renditions = prosecutor.get(f"/api/v1/exhibits/{source}/renditions")["items"]
    assert {one["id"] for one in renditions} >= set(made)
    for one in renditions:
        content = prosecutor("GET", f"/api/v1/renditions/{one['id']}/content").content
        assert one["sha256"] == "sha256:" + hashlib.sha256(content).hexdigest()
