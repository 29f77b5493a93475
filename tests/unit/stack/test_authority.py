"""The development authority keeps one identity, marks every token, and answers junk with a rejection."""

from pathlib import Path

from custody.kernel.clock import SystemClock
from custody.proof import timestamp
from evidence_api.stack import authority


def test_it_keeps_its_identity(tmp_path: Path) -> None:
    clock = SystemClock()
    first = authority.kept(tmp_path / "tsa", clock)
    again = authority.kept(tmp_path / "tsa", clock)
    assert first.certificate == again.certificate
    roots = timestamp.parse_roots((tmp_path / "tsa" / authority.ROOT).read_bytes())
    token = timestamp.response_token(again.respond(timestamp.request(b"x", 3), clock.now()))
    stamp = timestamp.verify(token, b"x", roots)
    assert stamp.policy == authority.DEVELOPMENT_POLICY
    assert "DEVELOPMENT" in stamp.authority
    assert (tmp_path / "tsa" / authority.KEY).stat().st_mode & 0o077 == 0


def test_the_roots_key_is_nowhere(tmp_path: Path) -> None:
    authority.kept(tmp_path / "tsa", SystemClock())
    assert sorted(path.name for path in (tmp_path / "tsa").iterdir()) == sorted(
        [authority.ROOT, authority.CHAIN, authority.KEY]
    )
