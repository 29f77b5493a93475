"""The composition root: the only place that turns settings into parts. Nothing is built at import."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic import SecretStr
from redis import Redis
from sqlalchemy import text

from custody.anchor import QUERY_TYPE, Anchor
from custody.cosigning import Witnesses, http_post
from custody.kernel.clock import SystemClock
from custody.kernel.ids import RandomIds
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer
from custody.pkcs11 import TokenPlace
from custody.proof import note
from custody.proof import policy as policies
from custody.proof.timestamp import parse_roots
from custody.register import FileRegister
from custody.scribe import EventScribe
from custody.signer import Signer
from custody.succession import LogParts, Succession
from evidence_api import log_keys
from evidence_api.access.passwords import Passwords
from evidence_api.jobs import Runner
from evidence_api.services import Services, Suggester
from evidence_api.settings import Settings
from storage import workroom
from storage.clamd import Clamd
from storage.keys import FileKeyWrapper, KeyWrapper
from storage.keys_vault import VaultAddress, VaultKeyWrapper
from storage.ports import BUNDLES, LOG
from storage.routed import RoutedStore
from storage.s3 import S3Address, S3Store
from storage.tiles import StoreTiles

if TYPE_CHECKING:
    from celery import Celery

    from evidence_api.paper.office import Office
    from evidence_api.workers.dispatcher import Dispatcher
    from transcription.engine import Engine

T = TypeVar("T")
_STAMP_DEADLINE_S = 5.0
_NOBODY = UUID(int=0)
TAKEN_ALONG = 64
"""How many small jobs a worker does at once at most. Half as many are sent as one message, so that none is left over
when two workers share them."""


def services(settings: Settings) -> Services:
    """The parts of one process that serves requests or runs jobs."""
    store = object_store(settings)
    database = _database(settings.database_url, settings)
    keys = key_wrapper(settings)
    return Services(
        settings=settings,
        database=database,
        store=routed(settings, store),
        keys=keys,
        tiles=StoreTiles(store, LOG),
        passwords=Passwords(passes=settings.password_passes, memory_kib=settings.password_memory_kib),
        tsa_roots=settings.tsa_roots_file.read_bytes() if settings.tsa_roots_file else b"",
        scanner=Clamd(settings.clamd) if settings.clamd else None,
        engine=cache(lambda: _engine(settings)),
        suggester=cache(_suggester),
        office=cache(lambda: _office(settings)),
        ready_checks={
            "database": lambda: _ask(database),
            "object-store": store.check,
            "keys": lambda: _try(keys),
            "broker": lambda: _knock(settings.broker_url.get_secret_value()),
        },
    )


def object_store(settings: Settings) -> S3Store:
    """The client of the object store; its buckets are made by `dalel migrate`."""
    return S3Store(
        S3Address(
            endpoint=settings.s3_endpoint,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=settings.s3_secure,
            region=settings.s3_region,
            prefix=f"{settings.s3_bucket_prefix}-",
        )
    )


def routed(settings: Settings, present: S3Store) -> RoutedStore:
    """The present store and, while objects move, the next one."""
    others = {settings.s3_next_name: next_store(settings)} if settings.s3_next_name else {}
    return RoutedStore(settings.s3_name, present, others)


def next_store(settings: Settings) -> S3Store:
    """The client of the store that objects move to."""
    return S3Store(
        S3Address(
            endpoint=_required(settings.s3_next_endpoint, "s3_next_endpoint"),
            access_key=settings.s3_next_access_key.get_secret_value(),
            secret_key=settings.s3_next_secret_key.get_secret_value(),
            secure=settings.s3_next_secure,
            region=settings.s3_next_region,
            prefix=f"{settings.s3_next_bucket_prefix}-",
        )
    )


def key_wrapper(settings: Settings) -> KeyWrapper:
    """The key-encryption key: a file is read at once, a service is asked at its first use."""
    if settings.kek == "vault":
        return VaultKeyWrapper(
            VaultAddress(
                _required(settings.kek_vault_url, "kek_vault_url"),
                _required(settings.kek_vault_token_file, "kek_vault_token_file"),
                settings.kek_vault_mount,
                settings.kek_vault_key,
                settings.kek_vault_ca_file,
                settings.kek_vault_namespace,
            )
        )
    if settings.kek == "pkcs11":
        from storage.keys_pkcs11 import TokenKeyWrapper  # noqa: PLC0415  its library only where there is a token

        place = TokenPlace(
            _required(settings.pkcs11_module, "pkcs11_module"),
            _required(settings.pkcs11_token, "pkcs11_token"),
            _required(settings.pkcs11_pin_file, "pkcs11_pin_file"),
        )
        return TokenKeyWrapper(place, settings.kek_label)
    return FileKeyWrapper(_required(settings.kek_file, "kek_file"), passphrase(settings.kek_passphrase_file))


def passphrase(path: Path | None) -> bytes | None:
    """A passphrase from its file; None where there is none (a key file that needs one says so)."""
    return path.read_bytes().strip() if path is not None and path.exists() else None


def _try(keys: KeyWrapper) -> None:
    """Raises while the key service does not answer."""
    wrapped = keys.wrap(bytes(32), _NOBODY)
    keys.unwrap(wrapped.data, wrapped.key_id, _NOBODY)


def ledger(settings: Settings) -> tuple[Sequencer, Succession]:
    """The first two parts of the sequencer process. Only this process holds the log's key and the sequencer's role."""
    database = sequencer_database(settings)
    store = object_store(settings)
    register = FileRegister(_required(settings.register_file, "register_file"))
    parts = LogParts(
        signer=lambda origin: log_keys.signer(settings, origin), witnesses=lambda vkey: witnesses(settings, vkey)
    )
    publishing = Succession(
        database, StoreTiles(store, LOG), StoreTiles(store, BUNDLES), register, parts, settings.log_origin
    )
    return Sequencer(database, publishing.check_head), publishing


def anchor(settings: Settings) -> Anchor | None:
    """What has heads time-stamped, in the sequencer process; None where no authority is configured."""
    if not settings.tsa_urls:
        return None
    database = sequencer_database(settings)
    roots = parse_roots(_required(settings.tsa_roots_file, "tsa_roots_file").read_bytes())
    return Anchor(database, settings.tsa_urls, roots, interval=timedelta(seconds=settings.tsa_interval_seconds))


def witnesses(settings: Settings, vkey: str) -> Witnesses | None:
    """The witnesses of the policy that have an address in it; None without a policy.

    Raises ValueError for a policy that is malformed or does not name the log's key `vkey`: nobody could verify what it
    would publish.
    """
    if settings.policy_file is None:
        return None
    policy = policies.parse(settings.policy_file.read_bytes())
    if note.parse_vkey(vkey) not in policy.logs:
        raise ValueError("the policy file does not name this log's key")
    clock = SystemClock()
    deadline_s = settings.witness_deadline_ms / 1000
    return Witnesses(policy, lambda: int(clock.now().timestamp()), deadline_s=deadline_s)


def sequencer_database(settings: Settings) -> Database:
    """The database as the one who orders entries."""
    return _database(_required(settings.sequencer_database_url, "sequencer_database_url"), settings)


def signer(settings: Settings) -> Signer:
    """The signing key that the settings name."""
    return log_keys.signer(settings, settings.log_origin)


def runner(settings: Settings) -> Runner:
    """A job runner with connections of its own: one per worker process. What a dead one left behind is removed."""
    from evidence_api.use_cases import handlers  # noqa: PLC0415  burning brings libraries that only workers need

    workroom.sweep(settings.work_dir)
    parts = services(settings)
    return Runner(parts.database, handlers.of(parts), together=TAKEN_ALONG)


def celery(settings: Settings) -> "Celery":
    """Celery on the configured broker."""
    from evidence_api.workers import app  # noqa: PLC0415  only the two ends of the queue need it

    return app.create(settings.broker_url.get_secret_value())


def dispatcher(settings: Settings) -> "Dispatcher":
    """What feeds the workers."""
    from evidence_api.workers import app  # noqa: PLC0415  as above
    from evidence_api.workers.dispatcher import Dispatcher  # noqa: PLC0415  likewise

    send = app.sender(celery(settings))
    return Dispatcher(services(settings).database, send, app.queue_of, together=TAKEN_ALONG // 2)


def _database(url: SecretStr, settings: Settings) -> Database:
    clock = SystemClock()
    ids = RandomIds(clock)
    scribe = EventScribe(clock, ids)
    return Database(url.get_secret_value(), clock, ids, scribe, pool_size=settings.database_pool_size)


def _ask(database: Database) -> None:
    with database.read() as session:
        session.execute(text("SELECT 1"))


def _knock(broker_url: str) -> None:
    """Raises when the broker does not answer within two seconds."""
    with Redis.from_url(broker_url, socket_timeout=2, socket_connect_timeout=2) as broker:
        broker.ping()


def _engine(settings: Settings) -> "Engine":
    """The speech engine: Whisper base as its packages carry it, or the model in the directory that is set."""
    from transcription.engines import weights, whisper  # noqa: PLC0415  a second of imports that only workers need

    name = settings.whisper_model
    directory = weights.base(settings.data_dir / "models") if name == "base" else Path(name)
    return whisper.WhisperEngine(
        directory, directory.name, settings.whisper_model_sha256, threads=settings.worker_threads
    )


def _suggester() -> Suggester:
    from redaction.suggest.engine import Suggester as Presidio  # noqa: PLC0415  seconds of imports, as above

    return Presidio()


def _office(settings: Settings) -> "Office | None":
    """The office's key with the first time-stamping authority; None where no key is configured."""
    if settings.office_key_file is None:
        return None
    from evidence_api.paper.office import FileOffice  # noqa: PLC0415  three seconds of imports, for acts only

    passphrase = _required(settings.office_key_passphrase_file, "office_key_passphrase_file")
    return FileOffice(settings.office_key_file, passphrase, _stamp(settings.tsa_urls))


def _stamp(urls: Sequence[str]) -> Callable[[bytes], bytes] | None:
    def ask(request: bytes) -> bytes:
        status, answer = http_post(urls[0], request, _STAMP_DEADLINE_S, QUERY_TYPE)
        if status != 200:
            raise ConnectionError
        return answer

    return ask if urls else None


def _required(value: T | None, name: str) -> T:
    if value is None:
        raise ValueError(f"DALEL_{name.upper()} is needed by this process")
    return value
