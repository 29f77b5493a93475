"""The whole story in a real browser against the real system: from intake to a package verified by the defence."""

import pytest

from tests.browser import story
from tests.browser.real import Stage


@pytest.mark.parametrize("act", list(story.ACTS))
def test_act(stage: Stage, act: str) -> None:
    story.reach(stage, act)
    assert stage.faults == []
