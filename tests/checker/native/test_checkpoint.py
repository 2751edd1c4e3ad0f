"""A search that was interrupted goes on as if it had not been."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kmigrate.checker import Report, Violated, native
from kmigrate.checker.native import checkpoint
from kmigrate.checker.native.errors import BadCheckpoint
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.protocol import Published


def facts(report: Report) -> object:
    answers = [(a.name, a.verdict.word) for a in report.answers]
    traces = [a.verdict.trace.states for a in report.answers if isinstance(a.verdict, Violated)]
    return report.states, report.edges, report.depth, report.coverage, answers, traces


@pytest.mark.parametrize(
    "model", [TwoPhaseCommit(managers=5), Philosophers(philosophers=8), Published(clusters=3)], ids=repr
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_search_cut_off_again_and_again_ends_with_the_same_report(
    tmp_path: Path, model: Published, workers: int
) -> None:
    whole = facts(native.check(model))
    file = tmp_path / "search"
    for depth in (2, 3, 5):
        report = native.check(model, max_depth=depth, checkpoint=file, workers=workers)
        assert report.depth == depth
        assert file.exists()
    assert facts(native.check(model, checkpoint=file, workers=workers)) == whole
    assert not file.exists()


class Killed(Exception):
    """Stands for a process that ends in the middle of its work."""


def test_a_search_that_is_killed_resumes_from_its_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "LARGEST_SHARE", 1e9)
    model, file = TwoPhaseCommit(managers=5), tmp_path / "search"
    whole = facts(native.check(model))

    def kill(states: int, level: int, waiting: int) -> None:
        if level == 9:
            raise Killed

    with pytest.raises(Killed):
        native.check(model, checkpoint=file, progress=kill)
    told: list[int] = []
    report = native.check(model, checkpoint=file, progress=lambda states, level, waiting: told.append(level))
    assert told[0] == 9
    assert facts(report) == whole


def test_a_file_of_another_model_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "search"
    native.check(TwoPhaseCommit(managers=3), max_depth=4, checkpoint=file)
    with pytest.raises(BadCheckpoint, match="another model"):
        native.check(TwoPhaseCommit(managers=4), checkpoint=file)
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(BadCheckpoint, match="not whole"):
        native.check(TwoPhaseCommit(managers=3), checkpoint=file)
    for text in ("hello", "[]", '{"format": "kmigrate-checkpoint", "version": 0}'):
        file.write_text(text)
        with pytest.raises(BadCheckpoint, match="is not a checkpoint"):
            native.check(TwoPhaseCommit(managers=3), checkpoint=file)


KILLED = """
import os, signal, sys
import signal
import subprocess
import sys
from pathlib import Path
from kmigrate.checker import native
from kmigrate.checker.native import checkpoint
from kmigrate.spec.examples.philosophers import Philosophers

checkpoint.PAUSE_SECONDS, checkpoint.LARGEST_SHARE = 0.0, 1e9

def progress(states, level, waiting):
    if level == 8:
        os.kill(os.getpid(), signal.SIGKILL)

native.check(Philosophers(philosophers=10), checkpoint=Path(sys.argv[1]), progress=progress)
"""


def test_a_process_killed_by_a_signal_is_resumed_by_another_with_the_same_counts_and_trace(tmp_path: Path) -> None:
    file = tmp_path / "search"
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert file.exists()
    model = Philosophers(philosophers=10)
    assert facts(native.check(model, checkpoint=file)) == facts(native.check(model))
