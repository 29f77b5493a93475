"""Every kind of job and what does it."""

from collections.abc import Mapping

from evidence_api.jobs import Handler
from evidence_api.services import Services
from evidence_api.use_cases import (
    burning,
    checking,
    disclosing,
    disposing,
    drafting,
    examining,
    fixity,
    intake,
    lightening,
    packaging,
    redacting,
    retaining,
    transcribing,
)


def of(services: Services) -> Mapping[str, Handler]:
    """The handlers by task name."""
    return {
        intake.SEAL: intake.SealUpload(services),
        intake.DISCARD: intake.DiscardUpload(services),
        examining.IDENTIFY: examining.IdentifyExhibit(services),
        examining.SCAN: examining.ScanExhibit(services),
        examining.LIGHT: lightening.MakeLightCopies(services),
        transcribing.DRAFT: drafting.DraftTranscript(services),
        redacting.SUGGEST: burning.SuggestPlan(services),
        redacting.BURN: burning.BurnRendition(services),
        disclosing.PACKAGE: packaging.PackageDisclosure(services),
        checking.CHECK: checking.CheckLedger(services),
        fixity.SCRUB: fixity.Scrub(services),
        fixity.CHECK: fixity.CheckExhibit(services),
        retaining.PROTECT: retaining.ProtectExhibit(services),
        disposing.DESTROY: disposing.DestroyExhibits(services),
    }
