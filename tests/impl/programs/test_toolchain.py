"""Building gives the same bytes every time, and programs that come out right at every optimisation."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from impl.programs import oracle
from kmigrate.impl.chip import TINY, BareCore, Reason
from kmigrate.impl.programs import toolchain as module
from kmigrate.impl.programs.catalogue import SHIPPED, SOURCES, names
from kmigrate.impl.programs.console import CONSOLE_SYMBOL
from kmigrate.impl.programs.errors import NoSource, NotBuilt, NoToolchain
from kmigrate.impl.programs.linkage import BARE_BASE, Target
from kmigrate.impl.programs.program import read_user_program
from kmigrate.impl.programs.toolchain import ZIGLANG, Optimisation, Toolchain, differing, ship

OPTIMISATIONS = tuple(Optimisation)
A0 = 10


class Bare:
    """A program that ships, run on a core without a kernel."""

    def __init__(self, toolchain: Toolchain, name: str, optimisation: Optimisation, argument: int = 0) -> None:
        source = SOURCES / "programs" / f"{name}.c"
        core = BareCore(memory_bytes=1 << 17)
        self.program = core.load_elf(toolchain.build(source, optimisation=optimisation, target=Target.BARE))
        core.cores.set_register(0, A0, argument)
        self.stop = core.run_until_store(self.program.symbol("tohost"), 50_000_000)
        self.core = core

    def word(self, symbol: str) -> int:
        return self.core.word(self.program.symbol(symbol))

    @property
    def console(self) -> bytes:
        return self.core.read(self.program.symbol(CONSOLE_SYMBOL) + 4, self.word(CONSOLE_SYMBOL))


# -- reproducibility -----------------------------------------------------------------------------------


def test_what_is_built_is_what_ships(toolchain: Toolchain) -> None:
    for name in names():
        image = toolchain.build(SOURCES / "programs" / f"{name}.c")
        assert image == (module.SHIPPED_FOLDER / f"{name}.elf").read_bytes(), name


def test_two_builds_in_different_folders_are_identical(toolchain: Toolchain, tmp_path: Path) -> None:
    """The source lies elsewhere too; the second compiler has a cache of its own."""
    text = (SOURCES / "programs" / "workload.c").read_bytes()
    copy = tmp_path / "workload.c"
    copy.write_bytes(text)
    with Toolchain() as other:
        assert toolchain.build(SOURCES / "programs" / "workload.c") == other.build(copy)


def test_what_differs_is_named_and_shipping_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHIPPED_FOLDER", tmp_path / "elf")
    images = {"a": b"1", "b": b"2"}
    assert differing(images) == ("a", "b")
    ship(images)
    assert differing(images) == ()
    (tmp_path / "elf" / "b.elf").write_bytes(b"3")
    (tmp_path / "elf" / "old.elf").write_bytes(b"4")
    assert differing(images) == ("b", "old")
    ship(images)
    assert differing(images) == ()


def test_another_compiler_or_none_is_refused_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed_version", lambda: None)
    with pytest.raises(NoToolchain, match="no compiler is installed; pip install"):
        Toolchain()
    monkeypatch.setattr(module, "installed_version", lambda: "0.1")
    with pytest.raises(NoToolchain, match=f"ziglang 0.1 is installed, not {ZIGLANG}"):
        Toolchain()


def test_the_extra_has_the_pinned_compiler() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["optional-dependencies"]["toolchain"] == [f"ziglang=={ZIGLANG}"]


# -- programs without a kernel ---------------------------------------------------------------------------


@pytest.mark.parametrize("optimisation", OPTIMISATIONS)
def test_the_workload_comes_to_what_python_says(toolchain: Toolchain, optimisation: Optimisation) -> None:
    usual = Bare(toolchain, "workload", optimisation)
    assert usual.stop.reason is Reason.WATCH
    assert (usual.word("tohost"), usual.word("checksum")) == (1, oracle.workload(3))
    assert usual.console == f"{oracle.workload(3):#x} right\n".encode()
    once = Bare(toolchain, "workload", optimisation, 1)
    assert (once.word("tohost"), once.word("checksum")) == (1, oracle.workload(1))


@pytest.mark.parametrize("optimisation", OPTIMISATIONS)
def test_the_benchmark_comes_to_what_python_says(toolchain: Toolchain, optimisation: Optimisation) -> None:
    run = Bare(toolchain, "benchmark", optimisation, 4)
    assert run.stop.reason is Reason.WATCH
    assert (run.word("tohost"), run.word("checksum")) == (1, oracle.benchmark())
    assert (run.word("iterations"), run.word("wrong")) == (4, 0)


def test_a_wrong_checksum_is_noticed(toolchain: Toolchain, tmp_path: Path) -> None:
    text = (SOURCES / "programs" / "benchmark.c").read_text("utf-8")
    assert "seed = 7" in text
    (tmp_path / "benchmark.c").write_text(text.replace("seed = 7", "seed = 8"), encoding="utf-8")
    core = BareCore(memory_bytes=1 << 17)
    program = core.load_elf(toolchain.build(tmp_path / "benchmark.c", target=Target.BARE))
    core.run_until_store(program.symbol("tohost"), 50_000_000)
    assert core.word(program.symbol("tohost")) == 3
    assert core.word(program.symbol("wrong")) == 10


@pytest.mark.parametrize("optimisation", OPTIMISATIONS)
def test_crashing_programs_crash_as_their_names_say(toolchain: Toolchain, optimisation: Optimisation) -> None:
    illegal = Bare(toolchain, "crash_illegal", optimisation).stop
    assert (illegal.reason, illegal.address) == (Reason.ILLEGAL_INSTRUCTION, 0)
    nowhere = Bare(toolchain, "crash_address", optimisation).stop
    assert (nowhere.reason, nowhere.address) == (Reason.OUT_OF_RANGE_STORE, 0xF0000000)
    elsewhere = Bare(toolchain, "crash_address", optimisation, 0x1000).stop
    assert (elsewhere.reason, elsewhere.address) == (Reason.OUT_OF_RANGE_STORE, 0x1000)
    stack = Bare(toolchain, "crash_stack", optimisation)
    assert stack.stop.reason is Reason.OUT_OF_RANGE_STORE
    assert BARE_BASE - 256 <= stack.stop.address < BARE_BASE
    assert stack.word("depth") > 20


def test_programs_that_need_a_kernel_say_so_on_a_bare_core(toolchain: Toolchain) -> None:
    """The calls that a bare core does not know are refused, and the program ends with the step that failed."""
    assert Bare(toolchain, "buffer", Optimisation.SIZE).word("tohost") == 1 << 1 | 1
    assert Bare(toolchain, "mailbox", Optimisation.SIZE).word("tohost") == 7 << 1 | 1
    assert {one.name for one in SHIPPED if one.bare} >= {"workload", "benchmark"}


# -- a user's own source ---------------------------------------------------------------------------------


def test_a_source_of_ones_own_is_built_and_read_like_ours(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "process.c"
    source.write_text('#include "kmigrate.h"\nint big[2100];\nint main(word a) { return big[a]; }\n')
    with pytest.raises(NotBuilt, match="the user sections do not fit the geometry"):
        toolchain.build(source)
    source.write_text('#include "kmigrate.h"\nint big[500];\nint main(word a) { int unused; return big[a]; }\n')
    program = read_user_program("process", toolchain.build(source))
    assert program.user_start <= program.symbol("big") < program.user_start + program.user_used


def test_what_the_compiler_says_is_passed_on_in_one_line(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "own.c"
    source.write_text("int main(void) { return x; }\n")
    with pytest.raises(NotBuilt, match=r"own.c cannot be compiled: .*undeclared identifier 'x'") as caught:
        toolchain.build(source)
    assert "\n" not in str(caught.value)
    source.write_text("int f(void); int main(void) { return f(); }\n")
    with pytest.raises(NotBuilt, match=r"own.c cannot be linked: .*undefined symbol: f"):
        toolchain.build(source)
    with pytest.raises(NoSource, match="there is no such file"):
        toolchain.build(tmp_path / "none.c")


def test_a_tiny_cluster_has_no_room_for_the_runtime(toolchain: Toolchain) -> None:
    with Toolchain(TINY) as tiny, pytest.raises(NotBuilt, match="where the structures of the kernel begin"):
        tiny.build(SOURCES / "programs" / "spin.c")
