"""Where the layers of a program are linked to: the runtime into the kernel image, the user sections behind it.

The order is the real one: text, rodata, data and bss of the kernel's layers, then those of the user. The user
sections begin where the kernel of a cluster of this geometry expects them and fill what it moves as one: at the
MPPA-256 10,608 bytes. Everything is at the same address in every cluster and, but for the variables that a program
itself gives to the cluster, in every program.

Objects are told apart by their names: `LAYER.noun.o`. Where the real build renames the sections of each object,
ours names them while linking: `.libnanvix.text`, `.user.data`.

Source: thesis 4.2; nanvix-facts 1, 6.
"""

from enum import Enum

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.kernel.placement import Placement

LAYERS = ("libnanvix", "ulibc")
"""The runtime's layers, which count as kernel."""
USER = "user"
"""The layer of the program itself."""
OWN = ".libnanvix.own"
"""Variables of a program that belong to the cluster; the experiments keep the ids of their communicators there."""

FIRST = ".text.__process"
"""Where a process begins on its own side: first of all, so that the runtime is the same for every program."""

KINDS = ("text", "rodata", "data", "bss")

BARE_BASE = 0x80000000
"""Where a program for a bare core begins: its stack first, so that nothing lies below that."""
BARE_STACK_BYTES = 8192


class Target(Enum):
    """What a program is linked for."""

    CLUSTER = "cluster"
    BARE = "bare"


def runtime_end(geometry: Geometry) -> int:
    """First address behind the room of the runtime: where the kernel's own structures begin, placed either way."""
    return min(Placement.of(geometry, together=together).stubs for together in (True, False))


def link_script(geometry: Geometry, target: Target = Target.CLUSTER) -> str:
    """The linker script for the clusters of a geometry, or for a bare core with room for anything."""
    cluster = target is Target.CLUSTER
    lines = [
        "ENTRY(_start)",
        "PHDRS { kernel_text PT_LOAD FLAGS(5); kernel_data PT_LOAD FLAGS(6); user_text PT_LOAD FLAGS(5);"
        " user_rodata PT_LOAD FLAGS(4); user_data PT_LOAD FLAGS(6); own PT_LOAD FLAGS(6); }",
        "SECTIONS",
        "{",
    ]
    if cluster:
        lines.append(f"  . = {geometry.kernel_base:#x};")
    else:
        lines += [f"  . = {BARE_BASE:#x} + {BARE_STACK_BYTES};", "  __STACK_END = .;"]
    for kind in KINDS:
        lines += _kernel(kind)
    if cluster:
        lines.append(
            f'  ASSERT(. <= {runtime_end(geometry):#x}, "the runtime and OF_CLUSTER variables end where'
            ' the structures of the kernel begin")'
        )
        lines.append(f"  . = {Placement.of(geometry).sections:#x};")
    else:
        lines.append(f"  . = ALIGN({geometry.page_bytes});")
    lines.append("  __USER_START = .;")
    for kind in KINDS:
        lines += _user(kind, geometry, cluster)
    lines += [
        "  __USER_END = .;",
        *(f"  {name} 0 : {{ *({name}) }}" for name in (".symtab", ".strtab", ".shstrtab")),
        "  /DISCARD/ : { *(.comment .note* .riscv.attributes .eh_frame* .debug*) }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _kernel(kind: str) -> list[str]:
    lines = [f"  __KERNEL_{kind.upper()}_START = .;"]
    phdr = "kernel_text" if kind in ("text", "rodata") else "kernel_data"
    for layer in LAYERS:
        inputs = f"*{layer}.*.o({_inputs(kind)})"
        lines += _section(layer, kind, inputs, phdr)
    lines.append(f"  __KERNEL_{kind.upper()}_END = .;")
    if kind == "bss":
        lines += [
            "  __OF_CLUSTER_START = .;",
            f"  {OWN} : ALIGN(16) {{ *({OWN}) }} :own",
            "  __OF_CLUSTER_END = .;",
        ]
    return lines


def _user(kind: str, geometry: Geometry, cluster: bool) -> list[str]:
    first = f"{FIRST} " if kind == "text" else ""
    inputs = f"*({first}{_inputs(kind)})"
    phdr = {"text": "user_text", "rodata": "user_rodata"}.get(kind, "user_data")
    if kind == "text":
        return [*_section(USER, kind, inputs, phdr)[:-1], f"  . = ALIGN({geometry.page_bytes});", _end(USER, kind)]
    if kind == "bss" and cluster:
        end = f"__USER_START + {geometry.user_bytes}"
        return [
            *_section(USER, kind, inputs, phdr)[:-1],
            "  __USER_USED = . - __USER_START;",
            f'  ASSERT(. <= {end}, "the user sections do not fit the geometry")',
            f"  . = {end};",
            _end(USER, kind),
        ]
    return _section(USER, kind, inputs, phdr)


def _section(layer: str, kind: str, inputs: str, phdr: str) -> list[str]:
    return [
        f"  __{layer.upper()}_{kind.upper()}_START = .;",
        f"  .{layer}.{kind} : ALIGN(16) {{ {inputs} . = ALIGN(16); }} :{phdr}",
        _end(layer, kind),
    ]


def _end(layer: str, kind: str) -> str:
    return f"  __{layer.upper()}_{kind.upper()}_END = .;"


def _inputs(kind: str) -> str:
    small = "" if kind == "text" else f" .s{kind} .s{kind}.*"
    common = " COMMON" if kind == "bss" else ""
    return f".{kind} .{kind}.*{small}{common}"
