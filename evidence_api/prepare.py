"""What must be there before the programs start (keys, tables and roles, buckets, the first accounts) and stay so."""

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import SecretStr

from custody.kernel.clock import SystemClock
from custody.kernel.errors import NotFound, Unavailable
from custody.kernel.outbox import Actor
from custody.proof import note
from custody.proof import policy as policies
from custody.signer import create_key, vkey
from evidence_api import container, log_keys
from evidence_api.demo.cast import Cast
from evidence_api.http.parts import session_terms
from evidence_api.migrations import run as migrations
from evidence_api.paper import keys as office_keys
from evidence_api.services import Services
from evidence_api.settings import Settings
from evidence_api.use_cases import disposing, examining, fixity, intake, retaining, rotating
from evidence_api.use_cases import people as accounts
from evidence_api.workers.periodic import Chore, Periodic
from storage.keys import FileKeyWrapper

VERSION = "0.1.0"
MINUTE_S, DAY_S = 60.0, 86_400.0
OPERATOR = Actor(id=None, role="system", means="cli")


def keys(settings: Settings) -> None:
    """Make the keys that are missing (key-encryption, the log's, the office's) and their passphrases. Replaces none."""
    for path in (settings.kek_file, settings.log_key_file, settings.log_key_passphrase_file, settings.register_file):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.kek == "file" and settings.kek_file is not None and not settings.kek_file.exists():
        if settings.kek_passphrase_file is not None and not settings.kek_passphrase_file.exists():
            _private_file(settings.kek_passphrase_file, secrets.token_urlsafe(32))
        FileKeyWrapper.create(settings.kek_file, container.passphrase(settings.kek_passphrase_file))
    if not log_keys.noted(settings):  # once another log follows, the first one's key may have been destroyed for good
        _log_key(settings)
    office_key, passphrase = settings.office_key_file, settings.office_key_passphrase_file
    if office_key is not None and passphrase is not None and not office_key.exists():
        _private_file(passphrase, secrets.token_urlsafe(32))
        office_keys.create(office_key, passphrase, SystemClock().now())
    if settings.policy_file is not None and not settings.policy_file.exists():
        settings.policy_file.write_text(policy(settings))


def _log_key(settings: Settings) -> None:
    """Make the first log's key in its file, or in its token unless that has one of this label."""
    key, passphrase = settings.log_key_file, settings.log_key_passphrase_file
    if settings.signer == log_keys.PKCS11:
        _token_key(settings)
    elif key is not None and passphrase is not None and not key.exists():
        _private_file(passphrase, secrets.token_urlsafe(32))
        create_key(key, passphrase)


def _token_key(settings: Settings) -> None:
    place = log_keys.configured(settings)
    try:
        place.open(settings.log_origin)
    except NotFound as missing:
        if missing.code != "hsm.key_missing":
            raise
        place.create()


def everything(settings: Settings) -> None:
    """Migrate, make the buckets, attack the store's lock once and record how it held. Safe to run again."""
    owner, app, sequencer = (
        _required(value, name)
        for value, name in (
            (settings.owner_database_url, "owner_database_url"),
            (settings.app_password, "app_password"),
            (settings.sequencer_password, "sequencer_password"),
        )
    )
    migrations.upgrade(owner, app, sequencer)
    parts = container.services(settings)
    try:
        container.object_store(settings).ensure_buckets()
        if settings.s3_next_name:
            container.next_store(settings).ensure_buckets()
        parts.keys.ensure()
        rotating.learn(parts, OPERATOR)
        retaining.deliver_rules(parts, OPERATOR)
        self_test(parts)
    finally:
        parts.database.close()


def self_test(parts: Services) -> None:
    """Attack the store's lock and record how it held. Raises Unavailable `store.worm_broken`."""
    facts = fixity.self_test(parts, OPERATOR)
    if facts.failed:
        raise Unavailable("store.worm_broken", what=facts.detail)


def upkeep(parts: Services) -> Periodic:
    """What the beat does besides dispatching: what was left alone or has ended, holds, the store's lock, the sweep."""
    terms = session_terms(parts.settings)
    return Periodic(
        [
            Chore("abandoned uploads", MINUTE_S, lambda: intake.expire(parts)),
            Chore("ended sessions", MINUTE_S, lambda: accounts.sweep(parts.database, terms)),
            Chore("holds in the store", 10 * MINUTE_S, lambda: retaining.follow(parts)),
            Chore("ended terms", 60 * MINUTE_S, lambda: disposing.propose_due(parts)),
            Chore("acts to carry on", MINUTE_S, lambda: disposing.carry_on(parts)),
            Chore("the store's lock", DAY_S, lambda: self_test(parts)),
            Chore("stored files", MINUTE_S, lambda: fixity.tick(parts)),
            Chore("files that no scanner has seen", MINUTE_S, lambda: examining.scan_the_unseen(parts)),
            Chore("what killed processes left in the store", DAY_S, lambda: intake.sweep(parts)),
        ]
    )


def account(settings: Settings, *, login: str, name: str, role: str, language: str, password: str) -> None:
    """Create one account from the command line. Raises what `people.create_account` raises."""
    people(settings, [Cast(login, name, role, language)], lambda _: password, again=False)


def people(settings: Settings, cast: Iterable[Cast], password_of: Callable[[Cast], str], *, again: bool = True) -> None:
    """Create accounts; `again` passes over those that are there, without the cost of hashing their passwords."""
    parts = container.services(settings)
    try:
        for member in cast:
            if again and accounts.is_taken(parts.database, member.login):
                continue
            accounts.create_account(
                parts.database,
                parts.passwords,
                OPERATOR,
                login=member.login,
                display_name=member.name,
                role=member.role,
                language=member.language,
                password=password_of(member),
            )
    finally:
        parts.database.close()


def policy(settings: Settings, witnesses: str = "quorum none\n") -> str:
    """A policy (C2SP tlog-policy) that names the logs that the served one names, so that no key is needed to know the
    logs of before and no line comes back that was taken out; where none is served yet, the first log. `witnesses` are
    its lines about them. Raises ProofError when the served one cannot be read.
    """
    path = settings.policy_file
    if path is not None and path.exists():
        logs = policies.parse(path.read_bytes()).logs
        vkeys = [note.vkey(one.name, one.public_key, one.key_type) for one in logs]
    else:
        vkeys = [vkey(container.signer(settings))]
    return "".join(f"log {one}\n" for one in vkeys) + witnesses


def _private_file(path: Path, content: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(content)


def _required(value: SecretStr | None, name: str) -> str:
    if value is None:
        raise ValueError(f"DALEL_{name.upper()} is needed to migrate")
    return value.get_secret_value()
