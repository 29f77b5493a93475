"""Which page is rendered with which sample model."""

from dataclasses import replace

from portal.context import Form
from portal.pages import audit, cases, disclosures, exhibits, redaction, session, transcript, upload
from tests.browser import sample_accounts, sample_fixity, sample_record, sample_retention
from tests.browser.sample_findings import DOCUMENT, FILM, INFECTED, WAITING
from tests.browser.samples import (
    AUDIO,
    DESK,
    DISCLOSURE,
    DRAFT,
    DURATION_MS,
    EXHIBIT,
    FILES,
    GRANTS,
    HEAD,
    HOME,
    LEDGER,
    NOW,
    RECEIPT,
    REDACTION,
    RENDITIONS,
    REVIEW,
    ROWS,
    TRAIL,
    WITHHELD,
    ago,
    ident,
)

FOUND = audit.Check(
    ago(minutes=9),
    False,
    ("DIFFERS. Step 2, Entries.", "Expected: entries without a gap", "Found: entry 17 is not there"),
    "sha256:" + "0" * 64,
    "/ledger/checks/1.json",
    "/ledger/checks/1.pdf",
)
PART = exhibits.ChainPart(EXHIBIT.chain.events[:5], 317, 262, 50, "?before=262#chain-title", "?#chain-title")
ACCESS = session.Home(
    (
        replace(
            HOME.cases[0],
            role="administrator",
            people=1,
            waiting=(session.Waiting("no_prosecutor", 1, "/people"),),
            href="/people",
        ),
        replace(HOME.cases[1], role="administrator", people=5, href="/people2"),
    ),
    False,
    next_href="/?cursor=x",
    fixity_href="/fixity",
    all=True,
)
CATEGORIES = (("minor", "Преступление небольшой тяжести", 1825), ("grave", "Тяжкое преступление", 5475))
PAGES = {
    **sample_retention.PAGES,
    **sample_fixity.PAGES,
    **sample_accounts.PAGES,
    "sign-in": (
        session.render_sign_in,
        session.SignIn("/cases", Form({"login": "saule"}, {"password": "session.refused"})),
    ),
    "home": (session.render_home, HOME),
    "home-administrator": (session.render_home, ACCESS),
    "home-auditor": (session.render_home, replace(HOME, all=True, beginning="9900", can_open_case=False)),
    "home-not-found": (session.render_home, session.Home((), False, all=True, beginning="7")),
    "home-empty": (session.render_home, session.Home((), True)),
    "new-case": (
        session.render_new_case,
        session.NewCase(form=Form({"erdr": "12", "title": "Іс"}, {"erdr": "case.number_invalid"})),
    ),
    "error": (session.render_error, session.ErrorPage(403, "access.denied", "01HZX-7Q")),
    "case-exhibits": (cases.render_case_exhibits, cases.CaseExhibits(HEAD, ROWS, 4, True)),
    "case-empty": (cases.render_case_exhibits, cases.CaseExhibits(HEAD, (), 0, True)),
    "case-people": (
        cases.render_case_people,
        cases.CasePeople(
            HEAD,
            GRANTS,
            ("investigator", "prosecutor", "defence"),
            Form({"login": "x"}, {"login": "account.not_found"}),
        ),
    ),
    "case-disclosures": (
        cases.render_case_disclosures,
        cases.CaseDisclosures(
            HEAD,
            (
                cases.DisclosureRow(ident("d"), 2, "Адвокат Марат Демо", "ready", 3, 2, ago(hours=5), ago(hours=4)),
                cases.DisclosureRow(ident("d1"), 1, "Адвокат Марат Демо", "releasing", 1, 3),
            ),
            True,
        ),
    ),
    "upload": (
        upload.render_upload,
        upload.UploadDesk(
            HEAD,
            100 * 2**30,
            Form({"basis": "search"}, {"purpose": "retention.bad_purpose"}),
            ROWS[:1],
            (upload.Refusal("бос.txt", "upload.empty"),),
            categories=CATEGORIES,
        ),
    ),
    "delivered": (upload.render_delivered, upload.Delivered(HEAD, ROWS)),
    "receipt": (upload.render_receipt, upload.IssuedReceipt(HEAD, ident("r"), NOW, "sha256:" + "5" * 64, RECEIPT)),
    "exhibit": (exhibits.render_exhibit, EXHIBIT),
    "exhibit-part": (exhibits.render_exhibit, replace(EXHIBIT, chain=PART, jobs=(), record_href="/exhibits/1/record")),
    "exhibit-film": (exhibits.render_exhibit, replace(EXHIBIT, findings=FILM)),
    "exhibit-pages": (exhibits.render_exhibit, replace(EXHIBIT, findings=DOCUMENT)),
    "exhibit-infected": (exhibits.render_exhibit, replace(EXHIBIT, findings=INFECTED)),
    "exhibit-waits": (exhibits.render_exhibit, replace(EXHIBIT, findings=WAITING)),
    "transcript": (transcript.render_transcript, DESK),
    "transcript-confirmed": (
        transcript.render_transcript,
        replace(
            DESK,
            state="confirmed",
            confirmed_by="Прокурор Ерлан Демо",
            confirmed_at=ago(hours=1),
            can_correct=False,
            can_confirm=False,
        ),
    ),
    "transcript-waiting": (
        transcript.render_transcript,
        transcript.TranscriptDesk(
            HEAD,
            AUDIO,
            "requested",
            "/sample.wav",
            DURATION_MS,
            job=exhibits.Job("transcribe", ago(minutes=1), 12_000, DURATION_MS),
        ),
    ),
    "redaction": (redaction.render_redaction, REDACTION),
    "redaction-document": (
        redaction.render_redaction,
        replace(
            REDACTION,
            turns=(),
            audio_href=None,
            groups=(),
            document_text="Протокол осмотра места происшествия\nСвидетель …",
        ),
    ),
    "plan-review": (redaction.render_plan_review, REVIEW),
    "plan-own": (redaction.render_plan_review, replace(REVIEW, can_approve=False, another_approves=True)),
    "renditions": (redaction.render_renditions, RENDITIONS),
    "disclosure-draft": (disclosures.render_disclosure_draft, DRAFT),
    "release": (
        disclosures.render_release,
        disclosures.ReleaseConfirm(HEAD, ident("d"), 2, "Адвокат Марат Демо", FILES, WITHHELD, 4),
    ),
    "disclosure": (disclosures.render_disclosure, DISCLOSURE),
    "disclosure-destroyed": (
        disclosures.render_disclosure,
        replace(DISCLOSURE, state="destroyed", package_href=None, destroyed_at=ago(hours=1), act_number=3),
    ),
    "trail": (audit.render_trail, TRAIL),
    "trail-empty": (audit.render_trail, replace(TRAIL, events=(), next_href=None)),
    "ledger": (audit.render_ledger, LEDGER),
    "ledger-checked": (audit.render_ledger, replace(LEDGER, checks=audit.Checks((FOUND,)))),
    "ledger-checking": (
        audit.render_ledger,
        replace(LEDGER, checks=audit.Checks((), ago(minutes=1), 4096, 10_000), halted="ledger.behind_published_head"),
    ),
    **sample_record.PAGES,
}
