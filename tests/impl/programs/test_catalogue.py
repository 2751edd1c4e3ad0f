"""The programs that ship: where they lie, how large they are, and that one runtime serves them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kmigrate.impl.chip import MPPA256
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.programs.catalogue import (
    SHIPPED,
    SOURCES,
    experiment_argument,
    load,
    names,
    shipped,
    shipped_image,
)
from kmigrate.impl.programs.errors import BadArgument, NoSource, NoSuchProgram
from kmigrate.impl.programs.linkage import KINDS, LAYERS, runtime_end
from kmigrate.impl.programs.toolchain import SHIPPED_FOLDER

PIECES = (4096, 4096, 2416)


@pytest.mark.parametrize("name", names())
def test_the_user_sections_are_three_pieces_at_the_kernels_address(name: str) -> None:
    program = load(name)
    assert program.user_bytes == sum(PIECES) == 10_608
    assert program.user_start == Placement.of(MPPA256).sections == 1_003_520
    assert program.user_start + program.user_bytes <= MPPA256.kernel_pool
    assert program.user_used <= program.user_bytes == len(program.user_image)


@pytest.mark.parametrize("name", names())
def test_the_layers_follow_each_other_in_the_real_order(name: str) -> None:
    program = load(name)
    at = program.symbol
    bounds = [MPPA256.kernel_base]
    for kind in KINDS:
        for layer in LAYERS:
            prefix = f"__{layer.upper()}_{kind.upper()}"
            bounds += [at(f"{prefix}_START"), at(f"{prefix}_END")]
        assert at(f"__KERNEL_{kind.upper()}_START") <= at(f"__KERNEL_{kind.upper()}_END")
    bounds += [at("__OF_CLUSTER_START"), at("__OF_CLUSTER_END"), runtime_end(MPPA256), at("__USER_START")]
    for kind in KINDS:
        bounds += [at(f"__USER_{kind.upper()}_START"), at(f"__USER_{kind.upper()}_END")]
    bounds.append(at("__USER_END"))
    assert bounds == sorted(bounds)
    assert at("__USER_TEXT_START") == at("__USER_START")
    assert at("__USER_TEXT_END") % MPPA256.page_bytes == 0
    assert at("__USER_BSS_END") == at("__USER_END")


@pytest.mark.parametrize("name", names())
def test_sections_bear_the_names_of_their_layers(name: str) -> None:
    program = load(name)
    expected = {f".{layer}.{kind}" for layer in (*LAYERS, "user") for kind in KINDS}
    assert {section.name for section in program.sections} - {".libnanvix.own"} == expected
    for section in program.sections:
        assert section.held in (0, section.size)
        assert section.name.startswith(".user.") == (section.address >= program.user_start)


def test_one_runtime_serves_all_programs() -> None:
    """So a process can arrive on a cluster that was started with another program."""
    programs = [load(name) for name in names()]
    assert len({program.runtime_digest for program in programs}) == 1
    assert len({program.entry for program in programs}) == 1
    assert len({program.digest for program in programs}) == len(programs)
    for symbol in ("kcall", "kmigrate_to", "__console", "memcpy", "__process"):
        assert len({program.symbol(symbol) for program in programs}) == 1, symbol


def test_only_the_experiments_keep_variables_with_the_cluster() -> None:
    own = {
        name for name in names() if load(name).symbol("__OF_CLUSTER_START") < load(name).symbol("__OF_CLUSTER_END")
    }
    assert own == {"threads", "parallel", "circular"}
    program = load("threads")
    for symbol in ("sync_in", "sync_out", "sync_end", "downtime"):
        assert program.symbol("__OF_CLUSTER_START") <= program.symbol(symbol) < program.symbol("__OF_CLUSTER_END")
    for symbol in ("done", "helpers"):
        assert program.user_start <= program.symbol(symbol) < program.symbol("__USER_END")


def test_every_source_is_a_program_and_every_file_ships() -> None:
    assert {path.stem for path in (SOURCES / "programs").glob("*.c")} == set(names())
    assert {path.stem for path in SHIPPED_FOLDER.glob("*.elf")} == set(names())


@pytest.mark.parametrize("name", names())
def test_no_file_says_where_or_when_it_was_built(name: str) -> None:
    """Apart from names and code there is nothing: no path, no compiler's comment, no debug information."""
    image = shipped_image(name)
    assert re.search(rb"/(home|tmp|work|usr|root|Users)/|clang|LLD|zig", image) is None
    assert len(image) < 18_432


def test_the_sources_fit_the_style() -> None:
    for path in sorted(SOURCES.rglob("*.[ch]")):
        lines = path.read_text("utf-8").splitlines()
        assert lines[0].startswith("/* "), path
        assert all(len(line) <= 116 and line == line.rstrip() and "\t" not in line for line in lines), path


def test_a_program_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    copy = tmp_path / "copy.elf"
    copy.write_bytes(shipped_image("spin"))
    assert load(str(copy)).digest == load("spin").digest
    assert load(str(copy)).name == "copy"
    with pytest.raises(NoSuchProgram, match="did you mean threads"):
        shipped("thread")
    with pytest.raises(NoSuchProgram, match="there are threads, parallel"):
        load("qqq")
    with pytest.raises(NoSource, match="No such file"):
        load(str(tmp_path / "none.elf"))


def test_each_program_says_what_it_does_and_what_it_is_given() -> None:
    assert all(one.title and one.argument for one in SHIPPED)
    assert len(set(names())) == len(SHIPPED)


def test_an_experiments_argument_has_a_byte_for_each_number() -> None:
    assert experiment_argument(helpers=16, pages=32, clusters=2, moved=True) == 0x01022010
    for wrong in ({"helpers": 18}, {"pages": 33}, {"clusters": 17}, {"pages": -1}):
        with pytest.raises(BadArgument, match=r"but it must be 0\.\."):
            experiment_argument(**wrong)  # type: ignore[arg-type]
