"""Commands of the operator: `dalel device …`, and for the care of what is stored `dalel keys …` and `dalel store …`."""

import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from custody.kernel.errors import DalelError, Unavailable
from evidence_api import settings as configuration
from evidence_api.http.messages import sentence

UNUSABLE = 2
_log = logging.getLogger(__name__)

data_option = click.option(
    "--data", type=click.Path(path_type=Path, exists=True), help="The data directory of a running `dalel up`."
)


def speak_to(data: Path | None) -> None:
    """Take the settings of a running `dalel up`."""
    if data is not None:
        from evidence_api.embedded import ENVIRONMENT  # noqa: PLC0415  the servers' world is not every command's

        if not (data / ENVIRONMENT).is_file():
            raise click.UsageError(f"{data} is not the data directory of a `dalel up`")
        os.environ.update(json.loads((data / ENVIRONMENT).read_text()))


class Answering(click.Group):
    """A group whose commands, those of its groups too, never end with a traceback when what they need is missing or
    does not answer: a sentence, its code, and exit 2. 1 would say that the command has found something.
    """

    def invoke(self, context: click.Context) -> Any:
        """Run the command. With `-v` the log says where it ended; never the values there (law 10)."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  each process loads its own world

        try:
            return super().invoke(context)
        except SQLAlchemyError as error:  # what a database says may quote rows and addresses (law 10)
            said, found = _said(Unavailable("database.unavailable", error=type(error).__name__)), error.__traceback__
        except DalelError as error:
            said, found = _said(error), error.__traceback__
        except (OSError, ValueError) as error:
            said, found = f"{error} [{type(error).__name__}]", error.__traceback__
        _log.info("ended at\n%s", "".join(traceback.format_tb(found)))
        click.echo(said, err=True)
        sys.exit(UNUSABLE)


def _said(refusal: DalelError) -> str:
    return f"{sentence(refusal.code, 'en', refusal.params)} [{refusal}]"


@click.group()
@data_option
def device(data: Path | None) -> None:
    """Credentials of devices that send by themselves (`dalel upload --credential-file`)."""
    speak_to(data)


@device.command()
@click.argument("name")
@click.option(
    "--case", "cases", multiple=True, help="The ЕРДР number of a case it may send to; several times if need be."
)
@click.option("--days", type=int, default=90, show_default=True, help="Its term.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file for the credential, mode 0600.")
def issue(name: str, cases: tuple[str, ...], days: int, out: Path) -> None:
    """Issue a credential. It is written to the file and shown nowhere; only its hash is kept."""
    from evidence_api import device_care  # noqa: PLC0415  each process loads its own world

    sys.exit(device_care.issue(configuration.load(), click.echo, name=name, erdrs=cases, days=days, out=out))


@device.command("list")
def list_devices() -> None:
    """Every device: login, name, until when, its cases."""
    from evidence_api import device_care  # noqa: PLC0415  as above

    sys.exit(device_care.list_all(configuration.load(), click.echo))


@device.command()
@click.argument("login")
def revoke(login: str) -> None:
    """End a device's credential at once, and what it is sending."""
    from evidence_api import device_care  # noqa: PLC0415  as above

    sys.exit(device_care.revoke(configuration.load(), click.echo, login))


@click.group()
@data_option
def keys(data: Path | None) -> None:
    """The key-encryption key: how it stands, change it, bring wrapped keys back."""
    speak_to(data)


@keys.command()
def status() -> None:
    """Every version of the key-encryption key and how much is wrapped under it."""
    from evidence_api import stored_care  # noqa: PLC0415  each process loads its own world

    sys.exit(stored_care.key_status(configuration.load(), click.echo))


@keys.command()
def rotate() -> None:
    """Make a new version, wrap every data key anew, retire the old one. Killed anywhere: run it again."""
    from evidence_api import stored_care  # noqa: PLC0415  as above

    sys.exit(stored_care.rotate(configuration.load(), click.echo))


@keys.command()
@click.option("--dry-run", is_flag=True, help="Say what would be brought back; change nothing.")
def recover(dry_run: bool) -> None:
    """Bring back wrapped keys after the database was restored from an old backup (after `dalel ledger rebuild`)."""
    from evidence_api import stored_care  # noqa: PLC0415  as above

    sys.exit(stored_care.recover(configuration.load(), click.echo, dry_run=dry_run))


@click.group()
@data_option
def store(data: Path | None) -> None:
    """The object store: move everything to another one."""
    speak_to(data)


@store.command()
@click.option("--to", "target", required=True, help="The next store's name (DALEL_S3_NEXT_NAME).")
@click.option(
    "--bytes-per-second", "rate", type=click.IntRange(min=1 << 20), help="Of reading; as for checks if unsaid."
)
def migrate(target: str, rate: int | None) -> None:
    """Copy every stored file there, read it back, lock it, then point to it. Killed anywhere: run it again."""
    from evidence_api import stored_care  # noqa: PLC0415  as above

    sys.exit(stored_care.migrate(configuration.load(), click.echo, target=target, rate=rate))
