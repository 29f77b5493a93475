"""The one typed configuration: read from the environment once, checked before anything starts, frozen afterwards.

Every setting is `DALEL_<NAME>`; every secret may instead be given as `DALEL_<NAME>_FILE`, a path whose content is the
value (Docker and Kubernetes secrets). Lower rooms never see this object: they are given plain arguments.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "DALEL_"
MIB = 1 << 20
GIB = 1 << 30
WHISPER_BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_KEK_NEEDS: Mapping[str, tuple[str, ...]] = {
    "file": (),
    "vault": ("kek_vault_url", "kek_vault_token_file"),
    "pkcs11": ("pkcs11_module", "pkcs11_token", "pkcs11_pin_file"),
}
Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `DALEL_<NAME>_FILE` for every secret field; a value given both ways is refused, never guessed."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """The file's content without its last line end, or None when no file is named."""
        name = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(f"{name}_FILE")
        if not path or field.annotation not in (SecretStr, SecretStr | None):
            return None, field_name, False
        if os.environ.get(name):
            raise ValueError(f"{name} and {name}_FILE are both set: keep one")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{name}_FILE cannot be read: {type(error).__name__}") from None

    def __call__(self) -> dict[str, Any]:
        """Every secret that came as a file."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """How this installation runs. Printing it shows no secret. Raises ValidationError naming the wrong setting only."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, validate_default=True
    )

    # places
    data_dir: Path = Path(".dalel")
    public_base_url: str = "http://127.0.0.1:8000"
    api_port: int = Field(default=8000, ge=1, le=65535)
    portal_port: int = Field(default=8080, ge=1, le=65535)

    # state: three roles of one database (application, sequencer, owner: the last only for migrations)
    database_url: SecretStr
    sequencer_database_url: SecretStr | None = None
    owner_database_url: SecretStr | None = None
    app_password: SecretStr | None = None
    sequencer_password: SecretStr | None = None
    database_pool_size: int = Field(default=10, ge=1, le=200)
    broker_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")

    # the object store (any S3 with versioning and Object Lock)
    s3_endpoint: str = "127.0.0.1:8333"
    s3_secure: bool = False
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket_prefix: str = Field(default="dalel", pattern=r"^[a-z0-9][a-z0-9-]{1,30}$")

    s3_name: str = Field(default="main", pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")

    # a second store, while objects move there (`dalel store migrate`): every process is told of it first
    s3_next_name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    s3_next_endpoint: str | None = None
    s3_next_secure: bool = False
    s3_next_region: str = "us-east-1"
    s3_next_access_key: SecretStr = SecretStr("")
    s3_next_secret_key: SecretStr = SecretStr("")
    s3_next_bucket_prefix: str = Field(default="dalel", pattern=r"^[a-z0-9][a-z0-9-]{1,30}$")

    # care for what is stored
    fixity_bytes_per_second: int = Field(default=64 * MIB, ge=MIB)
    fixity_light_days: int = Field(default=30, ge=1, le=3650)
    fixity_deep_days: int = Field(default=365, ge=1, le=3650)

    # the key-encryption key: a file, a Vault-compatible service's transit engine, or a PKCS #11 token
    kek: Literal["file", "vault", "pkcs11"] = "file"
    kek_file: Path | None = None
    kek_passphrase_file: Path | None = None
    kek_vault_url: str | None = None
    kek_vault_token_file: Path | None = None
    kek_vault_mount: str = "transit"
    kek_vault_key: str = "dalel"
    kek_vault_ca_file: Path | None = None
    kek_vault_namespace: str | None = None
    kek_label: str = "dalel-kek"

    # keys
    signer: Literal["file", "pkcs11"] = "file"
    log_key_file: Path | None = None
    log_key_passphrase_file: Path | None = None
    pkcs11_module: Path | None = None
    pkcs11_token: str | None = None
    pkcs11_pin_file: Path | None = None
    signer_key: str = "dalel-log"
    log_keys_file: Path | None = None
    office_key_file: Path | None = None
    office_key_passphrase_file: Path | None = None
    register_file: Path | None = None
    policy_file: Path | None = None
    tsa_urls: Annotated[tuple[str, ...], NoDecode] = ()
    tsa_roots_file: Path | None = None
    tsa_interval_seconds: int = Field(default=60, ge=1)
    witness_deadline_ms: int = Field(default=2000, ge=100, le=30_000)
    log_origin: str = Field(default="dalel.local/log", min_length=1, max_length=200, pattern=r"^[!-*,-~]+$")

    # the law's formats
    erdr_pattern: str = r"[0-9]{15}"
    languages: Annotated[tuple[Language, ...], NoDecode] = LANGUAGES

    # uploads
    upload_limit_bytes: int = Field(default=100 * GIB, ge=1)
    upload_part_bytes: int = Field(default=16 * MIB, ge=5 * MIB, le=5 * GIB)
    upload_lifetime_seconds: int = Field(default=7 * 86_400, ge=60)
    store_volume: Path | None = None
    """Where the store's bytes lie, if on this machine: its free room is announced before the first byte."""
    store_reserve_bytes: int = Field(default=1 * GIB, ge=0)

    # sessions and rate limits
    session_idle_seconds: int = Field(default=30 * 60, ge=60)
    session_absolute_seconds: int = Field(default=12 * 3600, ge=1)
    login_attempts_per_login: int = Field(default=10, ge=1)
    login_attempts_per_address: int = Field(default=100, ge=1)
    login_window_seconds: int = Field(default=15 * 60, ge=1)
    requests_per_minute: int = Field(default=1200, ge=1)
    request_body_limit_bytes: int = Field(default=2 * MIB, ge=1024)
    password_memory_kib: int = Field(default=64 * 1024, ge=8)
    password_passes: int = Field(default=3, ge=1)

    # proxies: whose X-Forwarded-For is believed (empty: nobody's)
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()

    # speech
    whisper_model: str = "base"
    whisper_model_sha256: str = WHISPER_BASE_SHA256

    # what is it: a malware scanner (host:port or the path of a socket), and where workers keep a file they look at
    clamd: str | None = None
    c2pa_anchors_file: Path | None = None
    """Certificates (PEM) of those whose signatures of devices and programs (C2PA) are trusted."""
    work_dir: Path = Path(tempfile.gettempdir())

    # workers
    worker_fast_processes: int = Field(default=1, ge=1, le=64)
    worker_media_processes: int = Field(default=1, ge=1, le=64)
    worker_threads: int = Field(default=2, ge=1, le=64)
    job_time_limit_seconds: int = Field(default=6 * 3600, ge=1)

    @field_validator("languages", "trusted_proxies", "tsa_urls", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Lists are written with commas."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("erdr_pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value, re.ASCII)
        except re.error:
            raise ValueError("not a regular expression") from None
        return value

    @field_validator("whisper_model_sha256")
    @classmethod
    def _hex_digest(cls, value: str) -> str:
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise ValueError("64 lower-case hexadecimal digits")
        return value

    @field_validator("c2pa_anchors_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        try:
            if value is not None:
                load_pem_x509_certificates(value.read_bytes())
        except (OSError, ValueError):
            raise ValueError("a readable file of certificates in PEM") from None
        return value

    @field_validator("public_base_url")
    @classmethod
    def _absolute_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an absolute http or https address without query or fragment")
        return value.rstrip("/")

    @field_validator("database_url", "sequencer_database_url", "owner_database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("postgresql+psycopg://"):
            raise ValueError("starts with postgresql+psycopg://")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.languages:
            raise ValueError("languages: at least one")
        if self.session_idle_seconds > self.session_absolute_seconds:
            raise ValueError("session_idle_seconds is longer than session_absolute_seconds")
        missing = [name for name in _KEK_NEEDS[self.kek] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"kek={self.kek} needs {', '.join(missing)}")
        if (self.s3_next_name is None) != (self.s3_next_endpoint is None) or self.s3_next_name == self.s3_name:
            raise ValueError("s3_next_name and s3_next_endpoint come together, under another name than s3_name")
        if self.log_key_file is not None and self.log_key_passphrase_file is None:
            raise ValueError("log_key_file needs log_key_passphrase_file")
        if self.office_key_file is not None and self.office_key_passphrase_file is None:
            raise ValueError("office_key_file needs office_key_passphrase_file")
        if self.tsa_urls and self.tsa_roots_file is None:
            raise ValueError("tsa_urls needs tsa_roots_file")
        return self

    @property
    def https(self) -> bool:
        """Whether people reach this installation over TLS: cookies are then Secure and HSTS is sent."""
        return self.public_base_url.startswith("https://")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments (tests), then the environment, then secret files; no dotenv is read behind the operator's back."""
        return init_settings, EnvSettingsSource(settings_cls), SecretFiles(settings_cls)


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises ValidationError or ValueError before anything has started."""
    return Settings(**overrides)


def as_environment(values: Mapping[str, object]) -> dict[str, str]:
    """Settings by field name as environment variables for a child process; None is left out."""
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()
    }
    return {
        PREFIX + name.upper(): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in plain.items()
        if value is not None
    }
