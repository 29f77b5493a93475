"""Office documents: LibreOffice, where it is installed, makes a PDF; its pages become pictures."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custody.kernel.errors import Invalid
from storage.light.making import Made, Tell
from storage.light.pages import pages_of

_SECONDS = 240


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """The PDF and its pages. Macros do not run: that is LibreOffice's default for documents from elsewhere.

    Raises Invalid `light.unreadable` when LibreOffice makes nothing of it.
    """
    tell(0, 1)
    here = Path.cwd()
    command = [str(args["program"]), f"-env:UserInstallation={(here / 'profile').as_uri()}", "--headless"]
    command += ["--norestore", "--nolockcheck", "--convert-to", "pdf", "--outdir", str(here), str(source)]
    subprocess.run(  # noqa: S603  the program found on PATH, confined like us
        command, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL, capture_output=True
    )
    made = here / "original.pdf"
    if not made.is_file():
        raise Invalid("light.unreadable", what="LibreOffice")
    version = subprocess.run(  # noqa: S603  as above
        [command[0], command[1], "--headless", "--version"], timeout=30, check=False, capture_output=True, text=True
    ).stdout.split()
    number = version[1] if len(version) > 1 else "?"
    pdf = Made("light_pdf", made.name, "libreoffice", number, {"convert_to": "pdf"}, {})
    return [pdf, pages_of(made, tell)]
