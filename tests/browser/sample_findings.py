"""What was found out about files, for sample pages: as much of it as an exhibit's page can show."""

from portal.pages.examined import Findings, LightCopy, Scan, Signature
from tests.browser.sample_events import ago, ident, sha

_CLEAN = Scan("clean", "ClamAV 1.4.6", at=ago(hours=1))
FILM = Findings(
    scan=_CLEAN,
    media_type="video/mp4",
    claims=(
        ("media.container", "mov,mp4,m4a,3gp,3g2,mj2"),
        ("media.duration_ms", 7_322_000),
        ("media.tag.creation_time", "2026-03-11T05:22:00.000000Z"),
        ("media.stream.1", "video, h264, 1920 × 1080, 25 fps"),
        ("media.stream.1.handler_name", "Қызмет камерасы"),
    ),
    flags=("c2pa.broken", "name_mismatch", "place"),
    read_at=ago(hours=1),
    digest=sha("f"),
    signature=Signature("broken", "Камера", "Bodycam 2.1"),
    copies=(
        LightCopy(
            ident("film"), "light_video", 58_230_000, sha("e"), "pyav", "18.1.0 (libavcodec 62.28.102)", faults=3
        ),
    ),
    can_ask=True,
)
DOCUMENT = Findings(
    scan=Scan("off"),
    media_type="application/pdf",
    claims=(("pdf.Author", "Сарсенова Динара Маратовна"), ("pdf.pages", 612), ("pdf.revisions", 2)),
    flags=("attachments", "pdf.revisions", "signed"),
    entries=(("жоба.txt", 142),),
    entries_total=1,
    read_at=ago(hours=1),
    digest=sha("d"),
    signature=Signature("intact", "Камера", "Bodycam 2.1"),
    copies=(
        LightCopy(
            ident("pages"), "light_pages", 9_000_000, sha("9"), "pypdfium2", "5.15.2", pages=500, pages_total=612
        ),
        LightCopy(ident("aspdf"), "light_pdf", 900_000, sha("8"), "libreoffice", "7.4.7.2"),
    ),
    page=2,
)
INFECTED = Findings(
    scan=Scan("infected", "ClamAV 1.4.6", "Dalel.Test.Malware.UNOFFICIAL", ago(hours=1)),
    not_read="sandbox.time",
    copy_missing="exhibit.infected",
)
WAITING = Findings(scan=Scan("waiting"), copy_missing="light.program_missing", can_ask=True)
