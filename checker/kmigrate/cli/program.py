"""`kmigrate program`: the user programs, how they are built and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.impl.chip import MPPA256
from kmigrate.impl.programs.catalogue import SHIPPED, SOURCES, load, shipped
from kmigrate.impl.programs.header import kernel_header
from kmigrate.impl.programs.linkage import Target, link_script
from kmigrate.impl.programs.program import UserProgram, read_user_program
from kmigrate.impl.programs.toolchain import Optimisation, Toolchain, build_shipped, differing, ship

programs = typer.Typer(
    help="The user programs: build them, list them, look into them.", invoke_without_command=True
)
app.add_typer(programs, name="program")


@programs.callback()
def _whole(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        raise WrongUse("kmigrate program build, ls, show or kit")


@programs.command("build")
def build_command(
    source: Annotated[
        Path | None, typer.Argument(help="A C source of your own; without one, all that ship.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The ELF file; SOURCE.elf if not given.")
    ] = None,
    optimisation: Annotated[
        Optimisation, typer.Option("-O", help="How much the compiler does.")
    ] = Optimisation.SIZE,
    bare: Annotated[bool, typer.Option("--bare", help="For a core without a kernel.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say whether what ships is what is built.")] = False,
) -> None:
    """Build a program for the clusters of the MPPA-256, or all that ship; exit 1 if --check finds a difference."""
    if source is None:
        if output is not None or bare:
            raise WrongUse("--output and --bare are for a source of your own: name one")
        _build_shipped(check)
        return
    if check:
        raise WrongUse("--check compares what ships: leave the source out")
    goal = source.with_suffix(".elf") if output is None else output
    target = Target.BARE if bare else Target.CLUSTER
    with Toolchain() as toolchain:
        image = toolchain.build(source, optimisation=optimisation, target=target)
    program = None if bare else read_user_program(source.stem, image)
    try:
        goal.write_bytes(image)
    except OSError as error:
        raise WrongUse(f"{goal} cannot be written: {error.strerror}") from None
    used = "" if program is None else f", {program.user_used:,} of {program.user_bytes:,} bytes of user sections"
    console().print(f"{goal}: {len(image):,} bytes{used}", soft_wrap=True)


def _build_shipped(check: bool) -> None:
    images = build_shipped()
    changed = differing(images)
    if not check:
        ship(images)
    if not changed:
        console().print(f"all {len(images)} programs are what ships")
    for name in changed:
        console().print(f"{name}: {'differs from what ships' if check else 'is new'}")
    raise typer.Exit(1 if check and changed else 0)


@programs.command("ls")
def ls_command(json_: JsonFlag = False) -> None:
    """List the programs that ship."""
    if json_:
        print_json([_summary(load(one.name)) for one in SHIPPED])
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("program", no_wrap=True)
    table.add_column("what it does")
    table.add_column("argument")
    table.add_column("user bytes", justify="right")
    table.add_column("digest", no_wrap=True)
    for one in SHIPPED:
        program = load(one.name)
        table.add_row(one.name, one.title, one.argument, f"{program.user_used:,}", program.digest[:12])
    console().print(table)
    first = load(SHIPPED[0].name)
    console().print(
        f"Each fills {first.user_bytes:,} bytes at {first.user_start:#x}; their runtime is the same, "
        f"{first.runtime_digest[:12]}. Sources: {SOURCES.name}/programs in the package kmigrate.impl.programs."
    )


@programs.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A program that ships, or the path of an ELF file.")],
    symbols: Annotated[bool, typer.Option("--symbols", help="List all symbols too.")] = False,
    json_: JsonFlag = False,
) -> None:
    """Show a program's sections, its size and its digest."""
    program = load(name)
    if json_:
        print_json(_whole_document(program))
        return
    console().print(f"[bold]{program.name}[/]  entry {program.entry:#x}  digest {program.digest}", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("section", no_wrap=True)
    for heading in ("from", "to", "bytes", "in the file"):
        table.add_column(heading, justify="right")
    for section in program.sections:
        end = section.address + section.size
        table.add_row(section.name, f"{section.address:#x}", f"{end:#x}", f"{section.size:,}", f"{section.held:,}")
    console().print(table)
    end = program.user_start + program.user_bytes
    console().print(
        f"user sections {program.user_start:#x}..{end:#x}: {program.user_used:,} of {program.user_bytes:,} bytes "
        f"used; runtime {program.runtime_digest[:12]}"
    )
    if symbols:
        for symbol, address in sorted(program.symbols.items(), key=lambda item: (item[1], item[0])):
            console().print(f"{address:#010x} {symbol}")


@programs.command("kit")
def kit_command(folder: Annotated[Path, typer.Argument(help="Where to; it is made.")]) -> None:
    """Write headers, linker scripts and the runtime's sources for building with a compiler of your own."""
    runtime = SOURCES / "runtime"
    texts = {str(path.relative_to(runtime)): path.read_text("utf-8") for path in sorted(runtime.rglob("*.[ch]"))}
    texts["kernel.h"] = kernel_header(MPPA256)
    for target in Target:
        texts[f"{target.value}.ld"] = link_script(MPPA256, target)
    try:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"{folder} cannot be written: {error.strerror}") from None
    console().print(f"{folder}: {len(texts)} files; objects are told apart by their names, libnanvix.thread.o")


def _summary(program: UserProgram) -> dict[str, object]:
    known = shipped(program.name)
    return {
        "name": program.name,
        "title": known.title,
        "argument": known.argument,
        "bare": known.bare,
        "user_bytes": program.user_bytes,
        "user_used": program.user_used,
        "digest": program.digest,
        "runtime_digest": program.runtime_digest,
    }


def _whole_document(program: UserProgram) -> dict[str, object]:
    return {
        "name": program.name,
        "entry": program.entry,
        "user_start": program.user_start,
        "user_bytes": program.user_bytes,
        "user_used": program.user_used,
        "digest": program.digest,
        "runtime_digest": program.runtime_digest,
        "sections": [
            {"name": s.name, "address": s.address, "size_bytes": s.size, "held_bytes": s.held}
            for s in program.sections
        ],
        "symbols": dict(sorted(program.symbols.items())),
    }
