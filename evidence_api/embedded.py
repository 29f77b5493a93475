"""Everything on one machine from one command: the stack's servers, our own programs, the demonstration case."""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from custody.kernel.clock import SystemClock
from custody.proof.strict import ProofError
from custody.witness import Unusable
from evidence_api import log_keys, prepare
from evidence_api import settings as configuration
from evidence_api.demo import cast, witnesses
from evidence_api.settings import Settings, as_environment
from evidence_api.stack import authority
from evidence_api.stack.endpoints import Endpoints, External, ObjectStoreAddress
from evidence_api.stack.kept import Kept, write_private
from evidence_api.stack.probe import answers
from evidence_api.stack.stack import Stack
from evidence_api.stack.supervisor import Program
from evidence_api.stack.words import StackError

if TYPE_CHECKING:
    from evidence_api.demo.story import Report

Say = Callable[[str], None]
_LOADED = "demonstration-loaded"
ENVIRONMENT = "environment.json"
"""The settings of the running system (mode 0600), for commands that are to speak to it: `dalel ledger … --data`."""


@dataclass(frozen=True)
class Servers:
    """Which servers are used: those that run elsewhere, and of whose PostgreSQL a child is made."""

    external: External = field(default_factory=External)
    postgres_from_path: bool = False

    def stack(self, data: Path, say: Say) -> Stack:
        """The stack of a data directory with these servers."""
        return Stack(data, say=say, external=self.external, postgres_from_path=self.postgres_from_path)


OWN_SERVERS = Servers()


def servers(
    *,
    database: str | None,
    broker: str | None,
    s3: str | None,
    s3_access_key: str | None,
    s3_secret_key: str | None,
    s3_secure: bool,
    postgres_from_path: bool,
) -> Servers:
    """Servers that somebody else runs; what is None becomes a child."""
    store = ObjectStoreAddress(s3, s3_access_key or "", s3_secret_key or "", s3_secure) if s3 else None
    return Servers(External(database, store, broker), postgres_from_path)


def up(data: Path, say: Say, *, with_demo: bool, port: int | None = None, servers: Servers = OWN_SERVERS) -> int:
    """Start all, stay up until SIGINT or SIGTERM, stop all. Returns the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    begun = time.monotonic()
    try:
        with servers.stack(data, say) as stack:
            settings = _start(stack, say, port)
            base_url = settings.public_base_url
            if with_demo and not stop.is_set():
                _load_demo(stack.kept, settings, say)
            say(f"\nDälel is up ({time.monotonic() - begun:.0f} s): {base_url}\nCtrl-C stops everything.")
            if with_demo:
                _print_accounts(stack.kept, say)
            while not stop.wait(0.5):
                if failed := stack.supervisor.failed():
                    say(f"given up: {', '.join(failed)}")
                    return 1
            say("stopping …")
    except StackError as error:
        say(str(error))
        return 1
    return 0


def demo(data: Path, out: Path, say: Say, servers: Servers = OWN_SERVERS) -> int:
    """Play the story once on a system of its own; the last line is `DEMO {json}`."""
    from evidence_api.demo.story import Report  # noqa: PLC0415  its HTTP client is not needed to start

    try:
        with servers.stack(data, say) as stack:
            settings = _start(stack, say, None)
            report = _play(stack.kept, settings, out, say)
    except StackError as error:
        say(str(error))
        report = Report(facts={"failed": str(error)})
    say(report.line())
    return 0 if report.ok else 1


def _start(stack: Stack, say: Say, port: int | None) -> Settings:
    endpoints = stack.start()
    port = stack.kept.port("portal", wanted=port)
    base_url = f"http://127.0.0.1:{port}"
    settings = settings_of(endpoints, stack.kept, base_url)
    prepare.keys(settings)
    outsiders = _outsiders(stack, settings, say)
    env = as_environment(dict(settings))
    write_private(settings.data_dir / ENVIRONMENT, json.dumps(env, indent=1).encode())

    def ready() -> bool:
        return answers(f"{base_url}/readyz", HTTPStatus.OK)

    cli = (sys.executable, "-m", "evidence_api.cli")
    web = (sys.executable, "-m", "uvicorn", "portal.app:create", "--factory", "--host", "127.0.0.1")
    # Loading is what takes the portal its time, and it needs no database for that.
    portal = stack.program("portal", [*web, "--port", str(port), "--no-access-log", "--no-server-header"], env, ready)
    launched = stack.supervisor.launch([*outsiders, portal])
    say("preparing the database and the store")
    prepare.everything(settings)
    prepare.people(settings, cast.CAST, lambda member: password_of(stack.kept, member))
    stack.supervisor.wait(launched)
    # The workers load while people already sign in: what they do waits in the jobs table.
    stack.run(
        [
            stack.program("sequencer", [*cli, "sequencer"], env),
            stack.program("beat", [*cli, "beat"], env),
            stack.program("worker fast", [*cli, "worker", "fast"], env),
            stack.program("worker media", [*cli, "worker", "media"], env),
        ]
    )
    return settings


def _outsiders(stack: Stack, settings: Settings, say: Say) -> list[Program]:
    """Two demonstration witnesses and a development authority, and the policy that names the former."""
    try:
        outsiders = [witnesses.made(title, settings.data_dir, stack.kept.port(title)) for title in witnesses.TITLES]
        policy = prepare.policy(settings, witnesses.policy_lines(outsiders))
    except (Unusable, ProofError) as error:
        raise StackError(str(error)) from error
    policy_file = settings.data_dir / "keys" / "policy"
    log_keys.replace(policy_file, policy.encode())
    say(witnesses.NOTICE)
    programs = [stack.program(one.title, one.command(policy_file), {}, one.ready) for one in outsiders]
    port, directory = stack.kept.port("time stamps"), _stamps(settings.data_dir)
    authority.kept(directory, SystemClock())
    command = [sys.executable, "-m", authority.__name__, "--directory", str(directory), "--port", str(port)]
    say(f"time stamps are by a {authority.NAME}")
    return [*programs, stack.program("development authority", command, {}, lambda: authority.ready(port))]


def _stamps(data_dir: Path) -> Path:
    return data_dir / "timestamps"


def settings_of(endpoints: Endpoints, kept: Kept, base_url: str) -> Settings:
    """The settings of every program that runs on this stack, its keys and its log's name included."""
    keys = endpoints.data_dir / "keys"
    return configuration.load(
        data_dir=endpoints.data_dir,
        public_base_url=base_url,
        database_url=endpoints.app_url,
        sequencer_database_url=endpoints.sequencer_url,
        owner_database_url=endpoints.owner_url,
        app_password=endpoints.app_password,
        sequencer_password=endpoints.sequencer_password,
        broker_url=endpoints.broker_url,
        s3_endpoint=endpoints.object_store.endpoint,
        s3_secure=endpoints.object_store.secure,
        s3_access_key=endpoints.object_store.access_key,
        s3_secret_key=endpoints.object_store.secret_key,
        store_volume=endpoints.data_dir if endpoints.object_store.endpoint.startswith("127.0.0.1:") else None,
        kek_file=keys / "key-encryption-key",
        kek_passphrase_file=keys / "key-encryption-key.passphrase",
        log_key_file=keys / "log-key.pem",
        log_key_passphrase_file=keys / "log-key.passphrase",
        office_key_file=keys / "office-key.pem",
        office_key_passphrase_file=keys / "office-key.passphrase",
        policy_file=keys / "policy",
        log_keys_file=keys / "log-keys.json",
        register_file=endpoints.data_dir / "register" / "checkpoint",
        tsa_urls=(f"http://127.0.0.1:{kept.port('time stamps')}",),
        tsa_roots_file=_stamps(endpoints.data_dir) / authority.ROOT,
        tsa_interval_seconds=5,
        log_origin=f"dalel.example/{kept.secret('log-name')[:8]}",
    )


def password_of(kept: Kept, member: cast.Cast) -> str:
    """The demonstration password of an account: made once per data directory."""
    return kept.secret(f"demo-{member.login}")[:16]


def _play(kept: Kept, settings: Settings, out: Path, say: Say) -> "Report":
    from evidence_api.demo.story import Story  # noqa: PLC0415  as above

    passwords = {member.login: password_of(kept, member) for member in cast.CAST}
    return Story(settings.public_base_url, passwords, out, say).play()


def _load_demo(kept: Kept, settings: Settings, say: Say) -> None:
    marker = settings.data_dir / _LOADED
    if marker.exists():
        return
    say("loading the demonstration case: the whole story is played once, Whisper included")
    report = _play(kept, settings, settings.data_dir / "demonstration", say)
    if report.ok:
        marker.touch()
    else:
        say(f"the demonstration case is incomplete: {report.facts.get('failed')}")


def _print_accounts(kept: Kept, say: Say) -> None:
    say("\n  account         password          role")
    for member in cast.CAST:
        say(f"  {member.login:<15} {password_of(kept, member):<17} {member.role}")
