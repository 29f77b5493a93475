"""Sample models of the pages about stored files: fictitious, only for looking and for tests."""

from dataclasses import replace
from datetime import timedelta

from portal.pages import exhibits, session
from portal.pages.fixity import AlarmLine, FixityPage, RoundLine, ScanLine, render_fixity
from tests.browser.sample_events import NOW, ago, sha
from tests.browser.samples import EXHIBIT, HOME

ERDR = "990000099000001"
ALARMS = (
    AlarmLine(
        "ciphertext", 3, sha("as it was"), sha("as it is"), ago(hours=2), None, "/exhibits/1", "exhibit", 7, ERDR
    ),
    AlarmLine(
        *("unreadable", 1, sha("unread"), "store.unreachable", ago(hours=3), None),
        *("/disclosures/2", "disclosure", 2, "990000099000002"),
    ),
    AlarmLine("missing", None, sha("gone"), "nothing", ago(hours=5), ago(hours=1), None, "exhibit", 12, ERDR),
    AlarmLine("worm", None, "held", "deleted,shortened", ago(hours=6)),
)
ROUNDS = (
    RoundLine(False, ago(days=3), ago(days=2), 120_431, 9_412_044_112, 2),
    RoundLine(True, ago(days=30), ago(days=29), 118_002, 9_102_044_112, 0),
)
STANDS = FixityPage(
    objects=120_431,
    size_bytes=9_412_044_112,
    checked=120_400,
    damaged=2,
    oldest=ago(days=31),
    rate=64 << 20,
    running=None,
    rounds=ROUNDS,
    next_light=NOW + timedelta(days=27),
    next_deep=NOW + timedelta(days=300),
    alarms=ALARMS,
    may_run=True,
    scan=ScanLine(120_431, 120_431, 3, 12),
)
RUNNING = replace(
    STANDS,
    running=RoundLine(True, ago(minutes=40), None, 31_002, 2_412_044_112, 1),
    alarms=(),
    scan=ScanLine(120_431, 48_217, 1, 4),
)
NOTHING = FixityPage(0, 0, 0, 0, None, 64 << 20, None, (), None, None, ())
PAGES = {
    "fixity": (render_fixity, STANDS),
    "fixity-running": (render_fixity, RUNNING),
    "fixity-empty": (render_fixity, NOTHING),
    "home-alarms": (session.render_home, replace(HOME, alarms=ALARMS[:2], fixity_href="/fixity")),
    "exhibit-alarm": (
        exhibits.render_exhibit,
        replace(EXHIBIT, alarms=(replace(ALARMS[0], href=None, about=""),), may_check=True, checking_since=None),
    ),
    "exhibit-checking": (
        exhibits.render_exhibit,
        replace(EXHIBIT, may_check=True, checking_since=ago(minutes=1)),
    ),
}
