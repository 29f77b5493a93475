"""Sample models of the pages of retention: fictitious, only for looking and for tests."""

from dataclasses import replace
from datetime import timedelta

from portal.context import Form
from portal.pages import retention
from portal.pages.exhibits import ExhibitRef, Job
from tests.browser.sample_events import NOW, ago, ident, sha
from tests.browser.samples import AUDIO, HEAD

HOLDS = (
    retention.HoldRow(
        "appeal", "№ 15, 20.11.2026", "Прокурор Ерлан Демо", ago(hours=4), False, lift_href="/holds/1/lift"
    ),
    retention.HoldRow(
        *("wanted", "", "Тергеуші Сәуле Демо", ago(hours=9), True),
        *("Прокурор Ерлан Демо", ago(hours=1), "ground_ended"),
    ),
)
OFFERS = retention.Offers(
    [("grave", "Тяжкое преступление"), ("minor", "Преступление небольшой тяжести")],
    ["appeal", "wanted"],
    ["ground_ended", "court_order"],
    True,
)
TERM = retention.ExhibitTerm(
    head=HEAD,
    exhibit=ExhibitRef(AUDIO.id, AUDIO.number, AUDIO.name, held=True),
    basis="search",
    purpose="pretrial",
    category="Тяжкое преступление",
    rule_version=2,
    retain_until=NOW + timedelta(days=900),
    locked_until=NOW + timedelta(days=800),
    objects=4,
    store_holds=3,
    holds=HOLDS,
    offers=OFFERS,
    act=retention.ActRow(2, "stopped", "/disposals/2", 1, ago(hours=7)),
    form=Form({"until": "2020-01-01"}, {"until": "retention.shorter"}),
)
GONE = retention.ExhibitTerm(
    head=HEAD,
    exhibit=ExhibitRef(
        *(AUDIO.id, AUDIO.number, AUDIO.name), destroyed_at=ago(hours=1), act_number=3, act_href="/disposals/3"
    ),
    basis="search",
    purpose="archive",
    category=None,
    rule_version=None,
    retain_until=ago(hours=9),
    locked_until=None,
    objects=2,
    store_holds=0,
    holds=(),
    offers=retention.Offers(),
    act=retention.ActRow(3, "done", "/disposals/3", 2, ago(hours=7)),
)
ROWS = (
    retention.TermRow(ident("audio"), 1, "Жауап алу.wav", "Тяжкое преступление", ago(hours=3), "over"),
    retention.TermRow(ident("pdf"), 2, "Протокол осмотра.pdf", None, ago(hours=2), "held"),
    retention.TermRow(ident("png"), 4, "қолхат 📷.png", None, ago(hours=1), "destroyed", 3, "/disposals/3"),
    retention.TermRow(ident("docx"), 3, "Объяснительная.docx", None, NOW + timedelta(days=9), "kept"),
)
CASE = retention.CaseTerms(
    HEAD, ROWS, "all", ("all", "over", "held"), HOLDS[:1], (TERM.act, GONE.act), OFFERS, "?cursor=x"
)
UNPICKED = replace(CASE, form=Form({}, {"pick": "disposal.empty"}))
UNGROUNDED = replace(TERM, form=Form({"note": "№ 15"}, {"ground": "hold.bad_ground"}))
NOTHING = retention.CaseTerms(HEAD, (), "over", ("all", "over"), (), (), retention.Offers())
LINES = (
    retention.ActLine(
        *(ident("audio"), 1, "Жауап алу 2026-03-11.wav", 9_412_044, sha("1"), "search", "Тяжкое преступление"),
        *(ago(hours=30), 3, 3, 2, 1, NOW + timedelta(days=1)),
    ),
    retention.ActLine(ident("pdf"), 2, "Протокол.pdf", 184_223, sha("2"), "seizure", None, ago(hours=29), 1, 1, 1),
)
ACT = retention.ActPage(
    head=HEAD,
    id=ident("act"),
    number=3,
    state="signed",
    digest=sha("act"),
    text='{"case":"…","exhibits":[{"number":1}],"type":"dalel-disposal-act","v":1}',
    lines=tuple(retention.ActLine(**{**vars(one), "keys_destroyed": None}) for one in LINES),
    signatures=(
        retention.Signature("proposed", None, ago(hours=8)),
        retention.Signature("signed", "Прокурор Ерлан Демо", ago(hours=7)),
    ),
    steps=("approve", "reject"),
    reasons=("still_needed", "out_of_date"),
    form=Form({}, {"reason": "disposal.bad_reason"}),
)
DONE = retention.ActPage(
    **{
        **vars(ACT),
        "state": "done",
        "lines": LINES,
        "packages": (
            retention.PackageLine(
                ident("d1"),
                2,
                "Адвокат Марат Демо",
                9_412_044,
                sha("p"),
                ago(hours=900),
                keys_destroyed=1,
                objects_removed=0,
                locked=1,
                locked_until=ago(hours=-20),
            ),
        ),
        "steps": (),
        "form": Form(),
        "job": Job("destroy", ago(hours=1)),
        "signatures": (*ACT.signatures, retention.Signature("done", None, ago(hours=1))),
        "obstacle": None,
    }
)
PROPOSED = replace(ACT, state="proposed", signatures=ACT.signatures[:1], steps=("sign", "reject"), form=Form())
RULES = retention.RulesPage(
    shown=2,
    current=2,
    rules=(
        retention.RuleRow("grave", "Ауыр қылмыс", "Тяжкое преступление", "Grave crime", "5475", "3650", True),
        retention.RuleRow("acquitted", "Ақтау үкімі", "Оправдательный приговор", "Acquittal", "1095", "365"),
    ),
    versions=(
        retention.VersionRow(2, sha("r2"), "Әкімші Демо", ago(hours=5)),
        retention.VersionRow(1, sha("r1"), None, ago(hours=90)),
    ),
    editable=True,
    form=Form({}, {"term_days-1": "rules.bad_days"}, {"category": "acquitted", "most": 36_500}),
)
OLD_RULES = retention.RulesPage(1, 2, RULES.rules, RULES.versions, False)
PAGES = {
    "retention": (retention.render_exhibit_term, TERM),
    "retention-ungrounded": (retention.render_exhibit_term, UNGROUNDED),
    "retention-destroyed": (retention.render_exhibit_term, GONE),
    "case-retention": (retention.render_case_terms, CASE),
    "case-retention-unpicked": (retention.render_case_terms, UNPICKED),
    "case-retention-empty": (retention.render_case_terms, NOTHING),
    "disposal-proposed": (retention.render_act, PROPOSED),
    "disposal": (retention.render_act, ACT),
    "disposal-done": (retention.render_act, DONE),
    "retention-rules": (retention.render_rules, RULES),
    "retention-rules-old": (retention.render_rules, OLD_RULES),
}
