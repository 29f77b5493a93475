"""Every page with sample models, under the real policy of what a page may load."""

import io
import math
import struct
import wave
from dataclasses import replace
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from evidence_api.queries import verifier
from portal import assets, visits
from portal.context import EMPTY_FORM, RequestContext
from portal.headers import PAGE_HEADERS
from portal.pages.session import render_help
from portal.pages.verify import render_verify
from tests.browser import sample_pages, samples

WHO = {
    "/pages/sign-in": None,
    "/pages/home-administrator": replace(samples.PERSON, role="administrator"),
    "/pages/home-auditor": replace(samples.PERSON, role="auditor"),
    "/pages/retention-rules": replace(samples.PERSON, role="administrator"),
    "/pages/devices": replace(samples.PERSON, role="administrator"),
    "/pages/device-issued": replace(samples.PERSON, role="administrator"),
    "/pages/device": replace(samples.PERSON, role="administrator"),
    "/pages/account": replace(samples.PERSON, role="administrator"),
}
ENDS = {
    "fixity/rounds": "fixity-running?done=round_begun",
    "fixity/lock": "fixity?done=lock_broken",
    "check-fixity": "exhibit-checking?done=fixity_requested",
    "retention-rules": "retention-rules-old?done=rules_changed",
    "holds": "retention?done=held",
    "lift": "retention?done=hold_lifted",
    "disposals": "disposal-proposed?done=disposal_proposed",
    "sign": "disposal?done=disposal_signed",
    "approve": "disposal-done?done=disposal_approved",
    "reject": "disposal-done?done=disposal_rejected",
}
"""Where an act leads, by the end of its address, as its view would answer; any other leads home."""
WITHOUT_MODEL = {"help": render_help, "verify": render_verify}


def tone(seconds: int = 24, rate: int = 8000) -> bytes:
    """A quiet tone as WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", int(900 * math.sin(n / 6))) for n in range(seconds * rate)))
    return out.getvalue()


def context_of(request: Request) -> RequestContext:
    return RequestContext(
        language=request.query_params.get("lang") or request.cookies.get("language", "kk"),
        path=request.url.path,
        query=request.url.query,
        csrf_token="sample",
        now=samples.NOW,
        theme=request.query_params.get("theme") or request.cookies.get("theme", "auto"),
        person=WHO.get(request.url.path, samples.PERSON),
        notice=visits.told(request),
    )


async def show(request: Request) -> Response:
    name = request.path_params["name"]
    if name in WITHOUT_MODEL:
        return HTMLResponse(WITHOUT_MODEL[name](context_of(request)), headers=PAGE_HEADERS)
    render, model = sample_pages.PAGES[name]
    if visits.told(request):
        model = replace(model, form=EMPTY_FORM) if hasattr(model, "form") else model
    return HTMLResponse(render(context_of(request), model), headers=PAGE_HEADERS)


async def verifier_script(_: Request) -> Response:
    return Response(verifier.script(), media_type="text/javascript")


async def choose(request: Request) -> Response:
    answer = RedirectResponse(request.query_params["to"], status_code=303)
    answer.set_cookie(request.url.path.split("/")[1], request.path_params["value"])
    return answer


async def sound(request: Request) -> Response:
    data = request.app.state.tone
    span = request.headers.get("range")
    if span is None:
        return Response(data, media_type="audio/wav", headers={"Accept-Ranges": "bytes"})
    first, _, last = span.removeprefix("bytes=").partition("-")
    start, end = int(first), int(last) if last else len(data) - 1
    headers = {"Content-Range": f"bytes {start}-{end}/{len(data)}", "Accept-Ranges": "bytes"}
    return Response(data[start : end + 1], status_code=206, media_type="audio/wav", headers=headers)


async def save_turn(request: Request) -> Response:
    """Answers as the transcript desk expects; a text with «сбой» is refused, as a stale one would be."""
    fields = parse_qs((await request.body()).decode())
    text = fields["text"][0]
    if "сбой" in text:
        return JSONResponse({"code": "transcript.stale", "title": "stale"}, status_code=409)
    request.app.state.saved.append((fields["revision"][0], text))
    revision = int(fields["revision"][0]) + 1
    return JSONResponse({"revision": revision, "saved_at": "2026-03-14T13:05:22Z"})


async def take_form(request: Request) -> Response:
    request.app.state.posted.append(
        (request.url.path, parse_qs((await request.body()).decode(), keep_blank_values=True))
    )
    ending = (ENDS[end] for end in ENDS if request.url.path.endswith("/" + end))
    return RedirectResponse("/pages/" + next(ending, "home"), status_code=303)


def gallery() -> Starlette:
    app = Starlette(
        routes=[
            Route("/pages/{name}", show),
            Route("/verify/verifier.js", verifier_script),
            Route("/sample.wav", sound),
            Route("/language/{value}", choose),
            Route("/theme/{value}", choose),
            Route("/exhibits/{exhibit}/transcript/turns/{turn:int}", save_turn, methods=["POST"]),
            Mount("/static", StaticFiles(directory=assets.BUILD)),
            Route("/{rest:path}", take_form, methods=["POST"]),
        ]
    )
    app.state.tone, app.state.saved, app.state.posted = tone(), [], []
    return app
