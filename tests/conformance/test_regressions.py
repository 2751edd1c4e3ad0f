"""Every failure that was ever found leaves its run file here, and is found again."""

from pathlib import Path

import pytest

from kmigrate.conformance import load, replay

FILES = sorted((Path(__file__).parent / "regressions").glob("*.run.json"))


def test_there_are_regression_files() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_recorded_failure_is_there_event_by_event(file: Path) -> None:
    assert replay(load(file)).same
