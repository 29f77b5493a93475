"""The command line: `dalel up`, `dalel demo`, one command per process of production, and the care of the ledger."""

import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from evidence_api import commands
from evidence_api import settings as configuration

DATA = Path(".dalel")


@click.group(cls=commands.Answering)
@click.option("-v", "--verbose", is_flag=True, help="Say more in the log.")
def main(verbose: bool) -> None:
    """Dälel: digital evidence with a chain of custody that its operator cannot rewrite unnoticed."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )


Command = TypeVar("Command", bound=Callable[..., None])


def servers_elsewhere(command: Command) -> Command:
    """Options that name servers to use instead of children; given by environment, for they carry secrets."""
    for name, variable, what in (
        ("database", "DALEL_OWNER_DATABASE_URL", "PostgreSQL 15 or later, as a role that may create roles."),
        ("broker", "DALEL_BROKER_URL", "Valkey or Redis."),
        ("s3", "DALEL_S3_ENDPOINT", "An S3 store with Object Lock: host:port."),
        ("s3-access-key", "DALEL_S3_ACCESS_KEY", "Its access key."),
        ("s3-secret-key", "DALEL_S3_SECRET_KEY", "Its secret key."),
    ):
        command = click.option(f"--{name}", envvar=variable, show_envvar=True, help=what)(command)
    command = click.option(
        "--postgres-from-path", is_flag=True, help="Make the child of the PostgreSQL (15 or later) on PATH."
    )(command)
    return click.option("--s3-secure", is_flag=True, envvar="DALEL_S3_SECURE", help="Reach it over TLS.")(command)


@main.command()
@servers_elsewhere
@click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True, help="Where all data lives.")
@click.option("--demo", "with_demo", is_flag=True, help="Load the demonstration case and print its accounts.")
@click.option("--port", type=int, help="The portal's port; kept for the next start.")
def up(data: Path, with_demo: bool, port: int | None, **elsewhere: Any) -> None:
    """Start everything on this machine; Ctrl-C stops it and leaves nothing behind."""
    from evidence_api import embedded  # noqa: PLC0415  the servers' world is not every command's

    servers = embedded.servers(**elsewhere)
    sys.exit(embedded.up(data, click.echo, with_demo=with_demo, port=port, servers=servers))


@main.command()
@servers_elsewhere
@click.option("--data", type=click.Path(path_type=Path), help="Keep the data here instead of a temporary directory.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True)
def demo(data: Path | None, out: Path, **elsewhere: Any) -> None:
    """Play the demonstration story once; exit 0 only if every step held."""
    from evidence_api import embedded  # noqa: PLC0415  as above

    servers = embedded.servers(**elsewhere)
    if data is not None:
        sys.exit(embedded.demo(data, out, click.echo, servers))
    with tempfile.TemporaryDirectory(prefix="dalel-demo-") as directory:
        sys.exit(embedded.demo(Path(directory), out, click.echo, servers))


@main.command()
def migrate() -> None:
    """Make missing keys, bring database and buckets to the present version. Safe to run again."""
    from evidence_api import prepare  # noqa: PLC0415  Alembic is this command's alone

    settings = configuration.load()
    prepare.keys(settings)
    prepare.everything(settings)


@main.command()
def sequencer() -> None:
    """Order events, publish and sign the log, have it cosigned and time-stamped."""
    from evidence_api import container  # noqa: PLC0415  each process loads its own world

    settings = configuration.load()
    order, publisher = container.ledger(settings)
    anchor = container.anchor(settings)
    stop = _stop_event()
    beside = [threading.Thread(target=publisher.run, args=(stop, order.leading), name="publisher")]
    if anchor is not None:
        beside.append(threading.Thread(target=anchor.run, args=(stop, order.leading), name="anchor"))
    for thread in beside:
        thread.start()
    order.run(stop)
    for thread in beside:
        thread.join()


@main.command()
def beat() -> None:
    """Send queued jobs to the workers, and do what must be done every minute and every day."""
    from evidence_api import container, prepare  # noqa: PLC0415  each process loads its own world

    settings = configuration.load()
    stop = _stop_event()
    regular = threading.Thread(target=prepare.upkeep(container.services(settings)).run, args=(stop,), name="periodic")
    regular.start()
    container.dispatcher(settings).run(stop)
    regular.join()


@main.command()
@click.argument("queue", type=click.Choice(["fast", "media"]))
def worker(queue: str) -> None:
    """Work off one queue of jobs."""
    from evidence_api import container  # noqa: PLC0415  each process loads its own world
    from evidence_api.workers import app  # noqa: PLC0415  likewise

    settings = configuration.load()
    processes = settings.worker_fast_processes if queue == "fast" else settings.worker_media_processes
    app.serve(container.celery(settings), lambda: container.runner(settings), queue, processes)


@main.command()
@click.argument("login")
@click.argument("name")
@click.argument("role")
@click.option("--language", default="kk", show_default=True)
def account(login: str, name: str, role: str, language: str) -> None:
    """Create an account; the password is read from standard input. For the first administrator."""
    from evidence_api import prepare  # noqa: PLC0415  each process loads its own world

    password = sys.stdin.readline().rstrip("\n")
    prepare.account(configuration.load(), login=login, name=name, role=role, language=language, password=password)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--case", required=True, help="The case's ЕРДР number, or its id.")
@click.option("--url", required=True, envvar="DALEL_URL", show_envvar=True, help="The server, such as https://…")
@click.option(
    "--login",
    envvar="DALEL_LOGIN_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="A file of mode 0600: a session's token, or login and password on two lines.",
)
@click.option(
    "--credential-file",
    envvar="DALEL_CREDENTIAL_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="For a device: a file of mode 0600 with its credential. Or the credential itself in DALEL_CREDENTIAL.",
)
@click.option("--basis", required=True, help="The legal basis of every file: inspection, search, seizure, …")
@click.option("--purpose", required=True, help="What they are kept for: pretrial, trial, …")
@click.option("--retain-days", type=int, default=3650, show_default=True, help="The storage term.")
@click.option("--list", "hash_list", type=click.Path(path_type=Path), help="The provider's list; a bag has its own.")
@click.option("--list-format", type=click.Choice(["bagit", "sha256sum", "csv"]), help="Of the list; told by its name.")
@click.option("--receipts", type=click.Path(path_type=Path), default=Path(), help="Where receipts are saved.")
@click.option("--state", "memory", type=click.Path(path_type=Path), help="Where what was sent is remembered.")
@click.option("--jobs", type=click.IntRange(1, 16), default=4, show_default=True, help="Files sent at once.")
@click.option("--patience", "patience_s", type=float, default=600, show_default=True, help="Seconds without a server.")
@click.option("--lang", "language", type=click.Choice(["kk", "ru", "en"]), default="kk", show_default=True)
@click.option("--ca", type=click.Path(path_type=Path, exists=True), help="Certificates to trust, PEM.")
@click.option("--plain-http", is_flag=True, help="Send the login unencrypted, on a closed network.")
@click.option("--watch", is_flag=True, help="Go on: send every file that has stopped growing, until ended.")
@click.option("--settle", "settle_s", type=float, default=10, show_default=True, help="Seconds a file must rest.")
def upload(basis: str, purpose: str, retain_days: int, **asked: Any) -> None:
    """Send a folder to a case. Killed and started again, it goes on at the byte.

    Exit 0: everything is sealed; 1: something failed, or differs from the list; 2: it could not be begun.
    """
    from evidence_api.sending import command  # noqa: PLC0415  each process loads its own world

    if asked["login"] and asked["credential_file"]:
        raise click.UsageError("--login is a person's, --credential-file a device's: give one")
    said = {"basis": basis, "purpose": purpose, "retain_days": str(retain_days)}
    sys.exit(command.run(command.Asked(said=said, **asked), click.echo))


@main.group()
@commands.data_option
def ledger(data: Path | None) -> None:
    """Check the whole ledger, or restore it from its private copies."""
    commands.speak_to(data)


@ledger.command()
@click.option("--deep", is_flag=True, help="Read every stored file, too.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the report here: canonical JSON, or *.pdf signed.")
@click.option("--lang", type=click.Choice(["kk", "ru", "en"]), default="en", show_default=True)
def fsck(deep: bool, out: Path | None, lang: Any) -> None:
    """Rebuild every hash and compare. Exit 0: unchanged; 1: something differs, the first place is named;
    2: not checked.
    """
    from evidence_api import care  # noqa: PLC0415  each process loads its own world

    sys.exit(care.fsck(configuration.load(), click.echo, deep=deep, out=out, language=lang))


@ledger.command()
@click.option("--out", type=click.Path(path_type=Path), help="Write what was restored, and what was not, here.")
@click.option("--dry-run", is_flag=True, help="Say what would be restored; change nothing.")
def rebuild(out: Path | None, dry_run: bool) -> None:
    """Restore missing entries from the private copies, after the database was restored from an old backup."""
    from evidence_api import care  # noqa: PLC0415  each process loads its own world

    sys.exit(care.rebuild(configuration.load(), click.echo, out=out, dry_run=dry_run))


@ledger.command("key")
@click.option("--origin", required=True, help="The next log's name, such as dalel.example/log-2.")
@click.option("--signer", type=click.Choice(["file", "pkcs11"]), default="file", show_default=True)
@click.option("--key-file", type=click.Path(path_type=Path), help="file: where the encrypted key goes.")
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="file: its passphrase; made when missing.")
@click.option("--module", type=click.Path(path_type=Path), envvar="DALEL_PKCS11_MODULE", help="pkcs11: the library.")
@click.option("--token", envvar="DALEL_PKCS11_TOKEN", help="pkcs11: the token's label.")
@click.option("--pin-file", type=click.Path(path_type=Path), envvar="DALEL_PKCS11_PIN_FILE", help="pkcs11: its PIN.")
@click.option("--label", help="pkcs11: the key's label in the token.")
def ledger_key(origin: str, signer: str, **places: Any) -> None:
    """Make the key of the next log, in a file or in a token, and print its verifier key."""
    from evidence_api import log_keys, rotation  # noqa: PLC0415  each process loads its own world

    names = {"file": ("key_file", "passphrase_file"), "pkcs11": ("module", "token", "label", "pin_file")}[signer]
    if missing := [name for name in names if not places[name]]:
        raise click.UsageError("also needed: " + ", ".join("--" + name.replace("_", "-") for name in missing))
    where = {"key" if name == "label" else name: str(_absolute(places[name])) for name in names}
    place = log_keys.KeyPlace(signer=signer, **where)
    sys.exit(rotation.make_key(configuration.load(), click.echo, origin, place))


@ledger.command()
@click.option("--origin", required=True, help="The next log, whose key `dalel ledger key` has made.")
@click.option("--reason", type=click.Choice(["scheduled", "compromised", "hardware", "renamed"]), required=True)
@click.option("--since", type=click.DateTime(), help="compromised: since when the key may have been out of hand (UTC).")
@click.option("--without-witnesses", is_flag=True, help="Do not wait for witnesses that refuse the closed log's end.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to wait for the end.")
def rotate(origin: str, reason: str, since: datetime | None, without_witnesses: bool, wait: float) -> None:
    """Close the log and open the next. Safe to run again: what was begun is finished."""
    from evidence_api import rotation  # noqa: PLC0415  each process loads its own world

    sys.exit(
        rotation.rotate(
            configuration.load(),
            click.echo,
            origin,
            reason,
            since=since.replace(tzinfo=UTC) if since else None,
            unwitnessed=without_witnesses,
            wait_s=wait,
        )
    )


@ledger.command("key-destroyed")
@click.option("--origin", required=True, help="The closed log whose key you have destroyed.")
def key_destroyed(origin: str) -> None:
    """Record that a closed log's key is destroyed; refused while it can still be opened from here."""
    from evidence_api import rotation  # noqa: PLC0415  each process loads its own world

    sys.exit(rotation.destroyed(configuration.load(), click.echo, origin))


def _absolute(value: str | Path) -> str | Path:
    return value.absolute() if isinstance(value, Path) else value


@ledger.command()
@click.argument("event_id", type=click.UUID)
@click.argument("field")
@click.option("--order", required=True, help="The act that orders it: a court's number and date. No names.")
def erase(event_id: UUID, field: str, order: str) -> None:
    """Erase one personal value of one event, by law. No hash breaks; the erasure is itself recorded."""
    from evidence_api import care  # noqa: PLC0415  each process loads its own world

    sys.exit(care.erase(configuration.load(), click.echo, event_id=event_id, field=field, order=order))


main.add_command(commands.device)
main.add_command(commands.keys)
main.add_command(commands.store)


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()
