"""HTML as plain text: what a person would read, nothing that runs, nothing that is fetched."""

import platform
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from custody.kernel.errors import Invalid
from storage.light.making import Made, Tell

_UNSEEN = frozenset({"script", "style", "head", "template", "noscript"})
_BREAKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote"})
MOST_CHARS = 4_000_000


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """The text as UTF-8. Raises Invalid `light.unreadable` where there is none."""
    del args
    tell(0, 1)
    text = words_of(source.read_text(encoding="utf-8", errors="replace"))
    if not text.strip():
        raise Invalid("light.unreadable", what="text")
    Path("light.txt").write_text(text[:MOST_CHARS], encoding="utf-8", errors="replace")
    return [Made("light_text", "light.txt", "python", platform.python_version(), {"most_chars": MOST_CHARS}, {})]


def words_of(source: str) -> str:
    """What is read of HTML."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.said).splitlines())
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    """Keeps what is read, drops what is not seen."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.said.append(data)
