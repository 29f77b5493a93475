"""Every command of `dalel`, from click's own registry, and arguments that each accepts: none can be forgotten."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from evidence_api.cli import main

WAITING = {"sequencer", "beat", "worker"}
"""Processes of production: they wait for what is away and go on when it is back."""
STARTING = {"up", "demo"}
"""They start their own servers (tests/integration/whole)."""
ALONE = {("ledger", "key")}
"""Needs no server."""
NOWHERE = "127.0.0.1:1"
"""Nobody listens on the first port."""
_OPTIONAL = {
    "key": {"key_file": "next.pem", "passphrase_file": "next.passphrase"},
    "upload": {"patience_s": "0", "plain_http": ""},
}
"""What a command needs although its registry does not require it."""
_VALUES = {"role": "administrator", "url": f"http://{NOWHERE}", "folder": ".", "login": "login"}


def leaves(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group with the words that lead to it."""
    for name, found in sorted(group.commands.items()):
        if isinstance(found, click.Group):
            yield from leaves(found, (*path, name))
        else:
            yield (*path, name), found


def line(path: tuple[str, ...], command: click.Command) -> list[str]:
    """A command line that is complete: what is required, of the type that it has."""
    words = list(path)
    extra: Mapping[str, str] = _OPTIONAL.get(path[-1], {})
    for parameter in command.params:
        name = parameter.name or ""
        if not parameter.required and name not in extra:
            continue
        value = extra.get(name, _value(parameter))
        words += [parameter.opts[0]] * isinstance(parameter, click.Option) + [value] * (value != "")
    return words


def _value(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    if isinstance(parameter.type, type(click.UUID)):
        return "01890000-0000-7000-8000-000000000000"
    return _VALUES.get(parameter.name or "", "x")


def prepared(directory: Path) -> None:
    """What the arguments name in the working directory: a login that only its owner reads."""
    login = directory / "login"
    login.touch(mode=0o600)
    login.write_text("a" * 43)
