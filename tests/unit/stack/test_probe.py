"""The probe says no rather than failing."""

import pytest

from evidence_api.stack.probe import answers


@pytest.mark.parametrize("url", ["http://", "nonsense", "http:///path"])
def test_what_is_no_address_does_not_answer(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.create_connection", refuse)
    assert not answers(url, 200)
