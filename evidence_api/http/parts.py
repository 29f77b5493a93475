"""What the edge needs from the composition root, and where a request finds it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import Request

from custody.kernel.unit_of_work import Database
from evidence_api.access.limits import Limit
from evidence_api.access.passwords import Passwords
from evidence_api.access.sessions import SessionTerms
from evidence_api.services import Services
from evidence_api.settings import Settings
from evidence_api.use_cases.people import SignInRules


class Parts(Protocol):
    """The composition root as the edge sees it."""

    @property
    def settings(self) -> Settings:
        """How this installation runs."""
        ...

    @property
    def database(self) -> Database:
        """The database as the application's role, with its clock and ids."""
        ...

    @property
    def passwords(self) -> Passwords:
        """Hashes and checks passwords."""
        ...

    @property
    def ready_checks(self) -> Mapping[str, Callable[[], None]]:
        """By part: raises when the part does not answer. Each takes at most a few seconds."""
        ...


def parts_of(request: Request) -> Parts:
    """The parts the app was made with."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]


def services_of(request: Request) -> Services:
    """The parts of the whole program, for routes beyond people and cases."""
    services: Services = request.app.state.parts
    return services


ServicesOf = Annotated[Services, Depends(services_of)]


def session_terms(settings: Settings) -> SessionTerms:
    """How long a session lasts here."""
    return SessionTerms(
        idle=timedelta(seconds=settings.session_idle_seconds),
        absolute=timedelta(seconds=settings.session_absolute_seconds),
    )


def sign_in_rules(settings: Settings) -> SignInRules:
    """How often one may try to sign in here."""
    window = timedelta(seconds=settings.login_window_seconds)
    return SignInRules(
        terms=session_terms(settings),
        per_login=Limit(settings.login_attempts_per_login, window),
        per_address=Limit(settings.login_attempts_per_address, window),
    )


def request_limit(settings: Settings) -> Limit:
    """How many requests a session may make in a minute."""
    return Limit(settings.requests_per_minute, timedelta(minutes=1))
