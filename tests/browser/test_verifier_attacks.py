"""Every attack of tests/attacks once more, judged by the browser's verifier too: same step, same code, same words."""

from collections.abc import Iterator
from types import ModuleType

import pytest
from _pytest.fixtures import FixtureFunctionDefinition
from playwright.sync_api import Browser

from tests.attacks import (
    forge,
    test_bytes,
    test_checkpoint,
    test_closed_logs,
    test_container,
    test_event_forms,
    test_manifest,
    test_numbers,
    test_proofs,
    test_records,
    test_rewritten_history,
    test_timestamps,
    test_vouching,
    test_witnesses,
)
from tests.browser.verifier_page import VerifierPage

MODULES: tuple[ModuleType, ...] = (
    test_bytes,
    test_checkpoint,
    test_closed_logs,
    test_container,
    test_event_forms,
    test_manifest,
    test_numbers,
    test_proofs,
    test_records,
    test_rewritten_history,
    test_timestamps,
    test_vouching,
    test_witnesses,
)
NOT_HERE = {"test_unpacked", "test_unpacked_is_read", "test_too_many_entries"}
"""Attacks on an unpacked folder, which a page cannot be given, and one that lowers a limit of the Python verifier."""


@pytest.fixture(scope="module")
def verifier_page(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VerifierPage]:
    opened = VerifierPage(chromium, tmp_path_factory.mktemp("verifier"), "ru")
    yield opened
    opened.context.close()


@pytest.fixture(autouse=True)
def judged_in_the_browser(verifier_page: VerifierPage) -> Iterator[None]:
    forge.JUDGES.append(verifier_page.judge)
    yield
    forge.JUDGES.remove(verifier_page.judge)


for _module in MODULES:
    for _name, _thing in vars(_module).items():
        if _name.startswith("test_") and callable(_thing) and _name not in NOT_HERE:
            globals()[f"{_name}__{_module.__name__.rpartition('.')[2].removeprefix('test_')}"] = _thing
        elif isinstance(_thing, FixtureFunctionDefinition):
            globals()[_name] = _thing
