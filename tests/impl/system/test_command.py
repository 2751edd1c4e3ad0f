"""`kmigrate run`: programs and scenarios from the command line, and pictures of what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kmigrate.cli import main
from kmigrate.impl.programs.toolchain import Toolchain

SCENARIO = """
[machine]
cycles = 30_000_000
[[process]]
program = "workload"
cluster = 3
arguments = 20
name = "bench"
[[request]]
at = 1_500_000
process = "bench"
to = 5
[check]
exits = { bench = 0 }
places = { bench = 5 }
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "move.toml"
    path.write_text(SCENARIO)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as done:
        main(["run", *arguments])
    out = capsys.readouterr()
    return int(done.value.code or 0), out.out + out.err


def test_a_scenario_runs_to_its_end(capsys: pytest.CaptureFixture[str], scenario: Path) -> None:
    code, out = run(capsys, str(scenario), "--breakdown")
    assert code == 0
    assert "bench was down for" in out
    assert all(part in out for part in ("setup", "freeze", "kstacksphys", "commit", "thaw"))
    code, out = run(capsys, str(scenario), "--json", "--memory-map")
    document: dict[str, Any] = json.loads(out)
    assert code == 0
    assert [(one["cluster"], one["state"], one["exit_value"]) for one in document["processes"]] == [
        ("c5", "ended", 0)
    ]
    assert document["failures"] == []
    assert {one["name"] for one in document["memory"]["c5"]["regions"]} >= {"UArea", "user sections"}


def test_a_program_runs_and_its_crash_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--program", "benchmark", "--argument", "1")[0] == 0
    code, out = run(capsys, "--program", "crash_illegal", "--cluster", "2")
    assert code == 1
    assert "c2 core 1 thread 18, cycle" in out
    assert run(capsys, "--program", "spin", "--cycles", "2000000", "--cluster", "io")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "name a scenario or a --program"),
        (("none.toml",), "cannot be read"),
        (("mine.elf",), "is a program: kmigrate run --program mine.elf"),
        (("ring", "--cycles", "5"), "--cycles is for a --program"),
        (("crossing", "--clusters", "3"), "--clusters is for ring"),
        (("move.toml", "--cluster", "3"), "--cluster is for a --program; a scenario file says it itself"),
        (
            ("--program", "spin", "--variant", "published"),
            "--variant is for the scenarios ring, copies",
        ),
        (("--program", "none.c"), "there is no such file"),
        (("--program", "bench"), "no program is called 'bench'"),
        (("--program", "spin", "--cluster", "x"), "--cluster is 'x'"),
        (("--program", "spin", "--cluster", "16"), "no process can run on c16"),
        (("--program", "spin", "--geometry", "tin"), "did you mean tiny?"),
        (("--program", "spin", "--geometry", "tiny"), "tiny needs"),
        (("--program", "spin", "--trace", "x.png"), "a trace ends in .json, .mmd, .itf, .txt"),
    ],
)
def test_wrong_use_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    code, out = run(capsys, *arguments)
    assert (code, out.count("\n")) == (2, 1)
    assert sentence in out


OWN = """#include "kmigrate.h"

static volatile int sums[4];

static void *add(void *place)
{
    for (int i = 1; i <= 1000; i++)
        sums[(int)place] += i;
    return NULL;
}

int main(word argument)
{
    kthread_t threads[4];
    int sum = 0;
    for (int i = 0; i < 4; i++)
        if (kthread_create(&threads[i], add, (void *)i) < 0)
            return 1;
    for (int i = 0; i < 4; i++)
        kthread_join(threads[i], NULL);
    dcache_invalidate();
    for (int i = 0; i < 4; i++)
        sum += sums[i];
    put_decimal(sum);
    puts(" in all");
    return sum == 4 * 500500 && argument == 6 ? 0 : 2;
}
"""


def test_a_source_of_ones_own_runs_alone_and_in_a_scenario(
    capsys: pytest.CaptureFixture[str], toolchain: Toolchain, tmp_path: Path
) -> None:
    """The same program as C source and as ELF file that was built before."""
    source = tmp_path / "sums.c"
    source.write_text(OWN)
    code, out = run(capsys, "--program", str(source), "--argument", "6", "--json")
    (process,) = json.loads(out)["processes"]
    assert (code, process["exit_value"], process["console"]) == (0, 0, "2002000 in all\n")
    (tmp_path / "sums.elf").write_bytes(toolchain.build(source))
    assert run(capsys, "--program", str(tmp_path / "sums.elf"))[0] == 0
    scenario = tmp_path / "sums.toml"
    scenario.write_text(
        '[[process]]\nprogram = "sums.elf"\narguments = 6\nname = "s"\n[check]\nexits = { s = 0 }\n'
    )
    assert run(capsys, str(scenario))[0] == 0
    source.write_text("int main(void) { return 1 }")
    code, out = run(capsys, "--program", str(source))
    assert (code, out.count("\n")) == (2, 1)
    assert "sums.c cannot be compiled: sums.c:1:" in out.replace("./", "")


def test_a_chrome_trace_has_clusters_cores_arrows_and_counters(
    capsys: pytest.CaptureFixture[str], scenario: Path, tmp_path: Path
) -> None:
    goal = tmp_path / "trace.json"
    assert run(capsys, str(scenario), "--trace", str(goal))[0] == 0
    document = json.loads(goal.read_text())
    events: list[dict[str, Any]] = document["traceEvents"]
    processes = {e["args"]["name"]: e["pid"] for e in events if e["name"] == "process_name"}
    assert len(processes) == 17
    assert processes["I/O cluster"] == 0
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    assert starts
    assert starts.keys() == ends.keys()
    assert all(starts[number]["ts"] < ends[number]["ts"] for number in starts)
    slices = [e for e in events if e["ph"] == "X" and e["name"] == "thread 18"]
    assert {e["pid"] for e in slices} == {processes["cluster 3"], processes["cluster 5"]}
    assert sum(e["dur"] for e in slices) > 1_000
    last = [e for e in events if e["ph"] == "C"][-1]["args"]
    assert last["mailbox_message"] > 4
    known = {"M", "X", "s", "f", "C", "i"}
    assert {e["ph"] for e in events} == known


def test_arrows_begin_and_end_inside_slices_of_their_lane(
    capsys: pytest.CaptureFixture[str], scenario: Path, tmp_path: Path
) -> None:
    """A viewer drops an arrow that no slice encloses."""
    goal = tmp_path / "trace.json"
    run(capsys, str(scenario), "--trace", str(goal))
    events = json.loads(goal.read_text())["traceEvents"]
    lanes = [(e["pid"], e["tid"], e["ts"], e["ts"] + e["dur"]) for e in events if e["ph"] == "X"]
    for arrow in (e for e in events if e["ph"] in "sf"):
        assert any(
            (pid, tid) == (arrow["pid"], arrow["tid"]) and start <= arrow["ts"] <= end
            for pid, tid, start, end in lanes
        )


def test_the_slices_of_a_lane_lie_inside_or_beside_each_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A viewer cannot show slices that overlap in part; all clusters get their programs at the same time."""
    many = tmp_path / "many.toml"
    processes = "".join(f'[[process]]\nprogram = "benchmark"\ncluster = {n}\narguments = 1\n' for n in range(16))
    many.write_text(processes)
    goal = tmp_path / "many.json"
    assert run(capsys, str(many), "--trace", str(goal))[0] == 0
    events = json.loads(goal.read_text())["traceEvents"]
    lanes: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events:
        if event["ph"] == "X":
            lanes.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    assert max(lane for _, lane in lanes) > 99, "some transfers need a lane of their own"
    for slices in lanes.values():
        ends = [0.0]
        for begin, end in sorted(slices):
            assert begin >= ends[-1] - 1e-6
            ends.append(end)
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert set(lanes) <= named


def test_other_pictures_go_by_their_ending(
    capsys: pytest.CaptureFixture[str], scenario: Path, tmp_path: Path
) -> None:
    texts = {}
    for ending in (".mmd", ".itf", ".txt"):
        goal = tmp_path / f"trace{ending}"
        assert run(capsys, str(scenario), "--trace", str(goal))[0] == 0
        texts[ending] = goal.read_text()
    assert texts[".mmd"].startswith("sequenceDiagram\n    participant io\n    participant c3")
    assert "io->>c3: portal piece at" in texts[".mmd"]
    states = json.loads(texts[".itf"])["states"]
    assert len(states) == texts[".txt"].count("\n")
    assert [state["cycle"] for state in states] == sorted(state["cycle"] for state in states)
