"""Scenario files: what they may say, what they do, and where they are wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kmigrate.impl.programs.catalogue import shipped_image
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.errors import BadScenario, NoDaemon
from kmigrate.impl.system.reading import parse_scenario, read_scenario
from kmigrate.impl.system.scenario import Run

WHOLE = """
[machine]
geometry = "mppa256"
cycles = 60_000_000
uarea = {uarea}

[[process]]
program = "workload"
cluster = 3
arguments = 20
name = "bench"

[[process]]
program = "crash_illegal"
cluster = "io"
name = "broken"

[[request]]
at = 1_500_000
process = "bench"
to = 5
mode = "stop-and-copy"

[[fault]]
at = 2_000_000
kind = "stop"
target = 7

[check]
exits = {{ bench = 0 }}
places = {{ bench = 5 }}
crashed = ["io", 7]
"""


def ended(text: str) -> Run:
    run = parse_scenario(text).start()
    while run.advance(5_000_000):
        pass
    return run


def test_a_scenario_does_what_it_says() -> None:
    run = ended(WHOLE.format(uarea="true"))
    assert run.failures() == ()
    status = run.system.status(run.system.process("bench"))
    assert status is not None
    assert status.downtime > 10 * 200_000


def test_a_scenario_on_a_kernel_without_daemons_says_so() -> None:
    with pytest.raises(NoDaemon):
        parse_scenario(WHOLE.format(uarea="false")).start()


def test_what_is_not_as_it_shall_be_is_said() -> None:
    text = WHOLE.format(uarea="true")
    text = text.replace("bench = 0", "bench = 1").replace("bench = 5", "bench = 6").replace('["io", 7]', "[8]")
    assert [failure.split(", cycle")[0] for failure in ended(text).failures()] == [
        "process bench has returned 0, not returned 1",
        "process bench is on c5, not c6",
        "io core 1 thread 6",
        "c7 core 0 thread 2",
        "c8 has not crashed",
    ]


CANCELLED = """
[[process]]
program = "workload"
arguments = 30
name = "bench"

[[request]]
at = 2_000_000
process = "bench"
to = 5

[[cancel]]
at = {at}
process = "bench"

[check]
exits = {{ bench = 0 }}
places = {{ bench = {place} }}
moves = {{ bench = "{phase}" }}
"""


@pytest.mark.parametrize(("at", "place", "phase"), [(3_000_000, 0, "cancelled"), (11_500_000, 5, "completed")])
def test_a_move_is_called_off_while_it_has_not_committed(at: int, place: int, phase: str) -> None:
    run = ended(CANCELLED.format(at=at, place=place, phase=phase))
    assert run.failures() == ()
    other = replace(run.scenario, check=replace(run.scenario.check, moves={"bench": "failed"}))
    assert Run(other, run.system).failures() == (f"the move of process bench is {phase}, not failed",)


SILENT = """
[machine]
patience = {patience}

[[process]]
program = "workload"
arguments = 10
name = "bench"

[[fault]]
at = 1_500_000
kind = "stop"
target = 5

[[request]]
at = 2_000_000
process = "bench"
to = 5

[check]
exits = {{ bench = 0 }}
places = {{ bench = 0 }}
moves = {{ bench = "failed" }}
crashed = [5]
"""


def test_a_source_gives_a_silent_destination_up_after_its_patience() -> None:
    times = []
    for patience in (50, 100):
        run = ended(SILENT.format(patience=patience))
        assert run.failures() == ()
        status = run.system.status(run.system.process("bench"))
        assert status is not None
        assert (status.reason, status.downtime) == ("timeout", 0)
        times.append(status.total_time)
    assert times[1] - times[0] == pytest.approx(50 * Timing().tick_cycles, rel=0.05)


def test_a_run_ends_with_its_cycles() -> None:
    run = ended('[machine]\ncycles = 3_000_000\n[[process]]\nprogram = "spin"\n')
    assert (run.system.now, run.failures()) == (3_000_000, ())


def test_a_program_is_looked_for_beside_its_scenario(tmp_path: Path) -> None:
    (tmp_path / "mine.elf").write_bytes(shipped_image("benchmark"))
    path = tmp_path / "mine.toml"
    path.write_text('[[process]]\nprogram = "mine.elf"\narguments = 1\n[check]\nexits = { "mine.0" = 0 }\n')
    run = read_scenario(path).start()
    while run.advance(5_000_000):
        pass
    assert run.failures() == ()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("[machin]\n", 1, r"unknown table \[machin\]; did you mean machine\?"),
        ("\n[machine]\ngeometri = 'x'\n", 3, r"unknown key 'geometri' in \[machine\]; did you mean geometry\?"),
        ("[machine]\n\ngeometry = 'tin'\n", 3, "no geometry is called 'tin'; did you mean tiny"),
        ("[[process]]\nprogram = 'a'\n[[process]]\n# b\nprogam = 'b'\n", 5, "did you mean program"),
        ("[[process]]\nprogram = 'a'\ncluster = 'x'\n", 3, 'it must be the number of a cluster, or "io"'),
        ("[[process]]\ncluster = 1\n", 1, r"\[\[process\]\] needs program"),
        ("[[process]]\nprogram = 'a'\narguments = -1\n", 3, "arguments is -1: it must be in 0..4294967295"),
        ("[[process]]\nprogram = 7\n", 2, "program is 7: it must be a text"),
        ("[process]\nprogram = 'a'\n", 1, r"process is a table: write \[\[process\]\]"),
        ("[[request]]\nat = 1\n", 1, r"\[\[request\]\] needs process, to"),
        ("[[request]]\nat = 1\nprocess = 'x'\nto = 2\n", 3, "no process is called 'x'"),
        (
            "[[process]]\nprogram='a'\nname='a'\n[[request]]\nat=1\nprocess='a'\nto=2\nmode='colt'\n",
            8,
            "mode 'colt'",
        ),
        ("[[fault]]\nat = 1\nkind = 'stp'\ntarget = 2\n", 3, "did you mean stop"),
        ("[[cancel]]\nat = 1\n", 1, r"\[\[cancel\]\] needs process"),
        ("[[cancel]]\nat = 1\nprocess = 'x'\n", 3, "no process is called 'x'"),
        ("[[process]]\nprogram='a'\nname='a'\n[check]\nmoves={ a = 'canceled' }\n", 5, "did you mean cancelled"),
        ("[[process]]\nprogram='a'\nname='a'\n[check]\nmoves={ a = 1 }\n", 5, "a table of texts by process"),
        ("[machine]\npatience = 0\n", 2, "patience is 0: it must be in 1.."),
        ("[machine]\nslice = 0\n", 2, "slice is 0: it must be in 1.."),
        ("[machine]\nuarea = 1\n", 2, "uarea is 1: it must be true or false"),
        ("[check]\nexits = { x = 0 }\n", 2, "no process is called 'x'"),
        ("[check]\nexits = { x = 'y' }\n", 2, "a table of whole numbers by process"),
        ("[machine\n", 1, "Expected"),
    ],
)
def test_a_wrong_scenario_is_told_with_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(BadScenario, match=f"^file:{line}: .*{why}") as caught:
        parse_scenario(text, "file")
    assert caught.value.line == line


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="cannot be read"):
        read_scenario(tmp_path / "none.toml")
