"""The page that checks a package in the browser."""

from portal.context import RequestContext
from portal.rendering import page


def render_verify(context: RequestContext) -> str:
    return page("verify.html", context, None)
