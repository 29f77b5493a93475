"""«Check these files»: the verifier of every package, served as a page. Files are chosen and stay in the browser."""

from typing import Annotated

from fastapi import Response
from starlette.requests import Request

from evidence_api.http.guard import Access, guard
from evidence_api.http.route import router
from evidence_api.queries import verifier
from portal.pages.verify import render_verify
from portal.visits import context, html

routes = router()


@routes.get("/verify")
def verify(request: Request, access: Annotated[Access, guard("page.public")]) -> Response:
    """The page. Anyone may check a package: who has one needs no account."""
    return html(render_verify(context(request, access)))


@routes.get("/verify/verifier.js")
def script(access: Annotated[Access, guard("page.public")]) -> Response:
    """Its program: a file of its own, since no page of ours runs an inline script."""
    del access
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(verifier.script(), media_type="text/javascript; charset=utf-8", headers=headers)
