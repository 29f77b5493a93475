"""Several people doing something at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from tests.whole import Api


def at_once(apis: Sequence[Api], act: Callable[[Api], httpx.Response]) -> list[httpx.Response]:
    """What each is answered. Everyone is at the door before anyone goes in."""
    for api in apis:
        api("GET", "/healthz")  # an application builds its routes at its first request, which no two threads may share
    barrier = Barrier(len(apis))

    def do(api: Api) -> httpx.Response:
        barrier.wait(30)
        return act(api)

    with ThreadPoolExecutor(len(apis)) as pool:
        return list(pool.map(do, apis))
