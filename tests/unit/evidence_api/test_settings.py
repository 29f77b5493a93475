from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from evidence_api.settings import Settings, as_environment, load

URL = "postgresql+psycopg://app:sekret@127.0.0.1/dalel"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("DALEL_"):
            monkeypatch.delenv(name)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DALEL_DATABASE_URL", URL)
    monkeypatch.setenv("DALEL_LANGUAGES", "ru, kk")
    monkeypatch.setenv("DALEL_ERDR_PATTERN", "[0-9]{15,16}")
    settings = load()
    assert settings.database_url.get_secret_value() == URL
    assert settings.languages == ("ru", "kk")
    assert not settings.https
    with pytest.raises(ValidationError, match="frozen"):
        settings.api_port = 1


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(URL + "\n")
    monkeypatch.setenv("DALEL_DATABASE_URL_FILE", str(file))
    assert load().database_url.get_secret_value() == URL


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DALEL_DATABASE_URL", URL)
    monkeypatch.setenv("DALEL_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(ValueError, match="both set"):
        load()


def test_a_secret_file_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DALEL_DATABASE_URL_FILE", str(tmp_path / "missing"))
    with pytest.raises(ValueError, match="DALEL_DATABASE_URL_FILE cannot be read"):
        load()


def test_printing_settings_shows_no_secret() -> None:
    settings = load(database_url=URL, s3_secret_key="sekret", broker_url="redis://:sekret@127.0.0.1/0")
    assert "sekret" not in repr(settings)
    assert "sekret" not in str(settings.model_dump())


@pytest.mark.parametrize(
    "wrong",
    [
        {"database_url": "postgresql://app:sekret@h/d"},
        {"public_base_url": "ftp://sekret"},
        {"public_base_url": "http://h/?q=sekret"},
        {"erdr_pattern": "(sekret"},
        {"languages": ""},
        {"languages": "kk,sekret"},
        {"whisper_model_sha256": "sekret"},
        {"session_idle_seconds": 100, "session_absolute_seconds": 99},
        {"log_key_file": "/sekret"},
        {"c2pa_anchors_file": "/sekret"},
        {"upload_part_bytes": 1},
        {"s3_bucket_prefix": "Sekret"},
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_not_quoted(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        load(**{"database_url": URL, **wrong})
    assert "sekret" not in str(refused.value).lower()


def test_without_a_database_there_is_no_start() -> None:
    with pytest.raises(ValidationError, match="database_url"):
        load()


def test_settings_go_to_a_child_as_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"database_url": SecretStr(URL), "languages": ("en", "ru"), "kek_file": None, "api_port": 9000}
    environment = as_environment(given)
    assert environment == {"DALEL_DATABASE_URL": URL, "DALEL_LANGUAGES": "en,ru", "DALEL_API_PORT": "9000"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load().api_port == 9000


def test_https_is_told_by_the_public_address() -> None:
    assert load(database_url=URL, public_base_url="https://dalel.example/").https
    assert load(database_url=URL, public_base_url="https://dalel.example/").public_base_url == "https://dalel.example"
    assert Settings.model_config["frozen"]
