"""The command line: `dalel up`, `dalel demo`, and one command per process of production."""

import logging
import signal
import sys
import tempfile
import threading
from pathlib import Path

import click

from evidence_api import settings as configuration

DATA = Path(".dalel")


@click.group()
@click.option("-v", "--verbose", is_flag=True, help="Say more in the log.")
def main(verbose: bool) -> None:
    """Dälel: digital evidence with a chain of custody that its operator cannot rewrite unnoticed."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )


@main.command()
@click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True, help="Where all data lives.")
@click.option("--demo", "with_demo", is_flag=True, help="Load the demonstration case and print its accounts.")
@click.option("--port", type=int, help="The portal's port; kept for the next start.")
def up(data: Path, with_demo: bool, port: int | None) -> None:
    """Start everything on this machine; Ctrl-C stops it and leaves nothing behind."""
    from evidence_api import embedded  # noqa: PLC0415  the servers' world is not every command's

    sys.exit(embedded.up(data, click.echo, with_demo=with_demo, port=port))


@main.command()
@click.option("--data", type=click.Path(path_type=Path), help="Keep the data here instead of a temporary directory.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True)
def demo(data: Path | None, out: Path) -> None:
    """Play the demonstration story once; exit 0 only if every step held."""
    from evidence_api import embedded  # noqa: PLC0415  as above

    if data is not None:
        sys.exit(embedded.demo(data, out, click.echo))
    with tempfile.TemporaryDirectory(prefix="dalel-demo-") as directory:
        sys.exit(embedded.demo(Path(directory), out, click.echo))


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
    """Send queued jobs to the workers, and the periodic ones."""
    from evidence_api import container  # noqa: PLC0415  each process loads its own world

    container.dispatcher(configuration.load()).run(_stop_event())


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


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()
