"""The API as a process: `uvicorn evidence_api.http.main:create --factory`."""

from fastapi import FastAPI

from evidence_api import container, settings
from evidence_api.http.app import create_app
from evidence_api.http.routes import (
    deliveries,
    disclosures,
    disposals,
    exhibits,
    light,
    log,
    redaction,
    retention,
    small_files,
    trail,
    transcripts,
    uploads,
)
from evidence_api.services import Services

ROUTERS = (
    uploads.routes,
    small_files.routes,
    exhibits.routes,
    light.routes,
    deliveries.routes,
    transcripts.routes,
    redaction.routes,
    disclosures.routes,
    trail.routes,
    retention.routes,
    disposals.routes,
)
ROOT_ROUTERS = (log.routes,)


def create() -> FastAPI:
    """The application from the environment's settings."""
    return application(container.services(settings.load()))


def application(services: Services) -> FastAPI:
    """The application from parts that are there already: the portal adds its pages to it."""
    return create_app(services, ROUTERS, ROOT_ROUTERS)
