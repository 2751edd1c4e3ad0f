"""A campaign that is interrupted leaves a valid report and a state from which it goes on; no worker outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from support.tools import lack

SECONDS = 1_200
"""After which something hangs."""

SMALL = ("--scope", "small", "--traces", "17")
IN_RUNS = ("--traces", "20")
"""The first round is written down; a run or four come after it."""

IN_TOURS = ("--traces", "2", "--tours")
"""Two runs, and then some seconds of tours."""

TOUR_SECONDS = 2
"""It tours by then, and long after."""

OF_PUBLISHED = ("--variant", "published", "--traces", "17")
"""Its first round is written down; a run comes after it, and then some seconds of shrinking."""


def started(*arguments: str, seed: int = 6) -> subprocess.Popen[str]:
    """`kmigrate campaign` as a user starts it, in a group of its own, as a shell does."""
    command = [sys.executable, "-m", "kmigrate", "campaign", "--json", "--seed", str(seed), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any] | None]:
    """The exit code and the report of a campaign; None for one that was killed before it could write it."""
    out, err = process.communicate(timeout=SECONDS)
    assert "Traceback" not in err
    return process.returncode, json.loads(out) if out else None


@cache
def at_once(*asked: str) -> tuple[int, dict[str, Any]]:
    """What the campaign shows that nobody interrupts."""
    with TemporaryDirectory() as folder:
        code, report = ended(started(*asked, "--output", folder))
    assert report is not None
    return code, placeless(report)


def placeless(report: dict[str, Any]) -> dict[str, Any]:
    """A report without the places of its files and without its seconds."""
    assert report.pop("clock")["seconds"] > 0
    for one in (*report["findings"], *report["hazards"]):
        one["file"] = Path(one["file"]).name
    return report


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def lives(process: int) -> bool:
    """Whether a process is there, and not merely waited for by nobody."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes: list[int]) -> bool:
    """Whether all of them have ended, within some seconds."""
    end = time.monotonic() + SECONDS
    while any(lives(one) for one in processes) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(lives(one) for one in processes)


LONG = pytest.mark.campaign
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)

QUICK = (SMALL, signal.SIGTERM, 2)
"""What is tried at any time; the others take longer, the more so as they make some runs again elsewhere."""

CASES = [
    QUICK,
    *((asked, number, workers) for asked in (IN_RUNS,) for number in ENDS for workers in (1, 2)),
    (IN_TOURS, signal.SIGINT, 1),
    (IN_TOURS, signal.SIGTERM, 2),
    (IN_TOURS, signal.SIGKILL, 2),
    (OF_PUBLISHED, signal.SIGINT, 2),
    (OF_PUBLISHED, signal.SIGKILL, 1),
]


@pytest.fixture(autouse=True)
def heeds_ctrl_c() -> Iterator[None]:
    """What is started from here heeds Ctrl-C, also in tests that a shell runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("asked", "number", "workers"),
    [
        pytest.param(*case, id=f"{case[0][-1]}-{case[1].name}-{case[2]}", marks=[] if case == QUICK else LONG)
        for case in CASES
    ],
)
def test_a_campaign_that_is_ended_goes_on_as_if_nothing_had_happened_and_no_worker_outlives_it(
    asked: tuple[str, ...], number: signal.Signals, workers: int, tmp_path: Path
) -> None:
    if not Path("/proc/self/task").exists():
        lack("/proc, by which the kernel is asked which processes there are")
    state, so_far = tmp_path / "campaign.state.json", tmp_path / "campaign.partial.json"
    again = ("--no-again",) if asked is SMALL else ()
    running = started(*asked, *again, "--workers", str(workers), "--output", str(tmp_path), "--every", "0")
    crew: list[int] = []
    while not state.exists():
        assert running.poll() is None
        crew = children(running.pid) or crew
        time.sleep(0.01)
    if asked is IN_TOURS:
        time.sleep(TOUR_SECONDS)
    assert len(crew) == (workers if workers > 1 else 0)
    if number is signal.SIGINT:
        os.killpg(running.pid, number)  # a terminal tells the whole group
    else:
        running.send_signal(number)
    code, last = ended(running)
    assert gone([running.pid, *crew])

    partial = json.loads(so_far.read_text(encoding="utf-8"))
    assert (partial["format"], partial["interrupted"], partial["tours"]) == ("kmigrate-campaign", True, None)
    assert partial["traces"] in (2, 16, int(asked[-1]) if asked is not IN_TOURS else 2)
    if number is signal.SIGKILL:
        assert (code, last) == (-number, None)
    else:
        assert last is not None
        assert last["interrupted"]
        assert code == (1 if asked is OF_PUBLISHED else 3)
        assert last["verdict"] == ("nonconformance" if asked is OF_PUBLISHED else "undetermined")
        assert placeless(last) == placeless(partial)

    code, after = ended(started("--resume", str(state), *again, "--output", str(tmp_path)))
    assert after is not None
    assert (code, placeless(after)) == at_once(*asked, *again)
    assert not state.exists()
    assert not so_far.exists()
