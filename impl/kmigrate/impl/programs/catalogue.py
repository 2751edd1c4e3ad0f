"""The programs that ship with the package, and how each is asked for by name.

Source: nanvix-facts 8.1 for the three experiments; the others are ours.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.kernel.placement import thread_slots
from kmigrate.impl.programs.errors import BadArgument, NoSuchProgram
from kmigrate.impl.programs.program import UserProgram, load_file, read_user_program


@dataclass(frozen=True, slots=True)
class Shipped:
    """A program of ours.

    title     what it does
    argument  what the word means that its first thread is given
    bare      whether it also runs on a core without a kernel
    """

    name: str
    title: str
    argument: str
    bare: bool = False


SHIPPED = (
    Shipped("threads", "experiment: helpers and pages move from one cluster to another", "helpers | pages << 8"),
    Shipped(
        "parallel", "experiment: several migrations at once", "helpers | pages << 8 | clusters << 16 | moved << 24"
    ),
    Shipped("circular", "experiment: a process travels round all clusters", "clusters << 16; 0: 16"),
    Shipped("stress", "experiment: threads are created and joined", "how often; 0: 100"),
    Shipped("spin", "threads that count for ever", "threads besides the first"),
    Shipped("buffer", "producers and a consumer over a mutex", "numbers of each producer; 0: 64"),
    Shipped(
        "mailbox", "a producer and a consumer over a mailbox", "consumer's node | producer's << 8; 0: both here"
    ),
    Shipped("signals", "signals, an alarm and a mended page fault", "signals; 0: 5"),
    Shipped("tasks", "functions run by the dispatcher", "rounds; 0: 10"),
    Shipped("names", "a client finds a server by its name", "0: the server; else the client's numbers"),
    Shipped("workload", "checks itself: CRC, sort, matrix, sieve, a thread each", "rounds; 0: 3", bare=True),
    Shipped(
        "pages", "checks its user pages: four threads, each with one it writes and one it reads", "rounds; 0: 200"
    ),
    Shipped("benchmark", "list, matrix, state machine, checksum", "iterations; 0: 10", bare=True),
    Shipped("crash_illegal", "an instruction that does not exist", "none", bare=True),
    Shipped("crash_address", "a store where no memory is", "the address; 0: 0xf0000000", bare=True),
    Shipped("crash_stack", "calls itself until the stack is full", "the depth to count from", bare=True),
)
"""In the order in which they are listed."""

SOURCES = Path(__file__).parent / "c"
"""The C sources of the runtime and of the programs."""

MOST_CALLS = 127
"""Further calls of an experiment that its argument has room for."""

PAGE_STEP = 4
"""Pages of an experiment lie so many pages apart (nanvix-facts 8.1)."""


def experiment_argument(
    *, helpers: int = 0, pages: int = 0, clusters: int = 0, moved: bool = False, calls: int = 0
) -> int:
    """The argument of an experiment's process.

    helpers   threads besides the first, at most 17
    pages     at most 32
    clusters  that take part
    moved     whether nothing goes on where a process has left
    calls     remote calls more that the first thread makes while the time is taken, at most 127
    Raises    BadArgument
    """
    for what, found, most in (
        ("helpers", helpers, thread_slots(MPPA256) - 1),
        ("pages", pages, MPPA256.frames // PAGE_STEP),
        ("clusters", clusters, MPPA256.clusters),
        ("calls", calls, MOST_CALLS),
    ):
        if not 0 <= found <= most:
            raise BadArgument(what, found, most)
    return helpers | pages << 8 | clusters << 16 | moved << 24 | calls << 25


def names() -> tuple[str, ...]:
    """The names of the programs that ship."""
    return tuple(program.name for program in SHIPPED)


def shipped(name: str) -> Shipped:
    """What is known of a program by its name. Raises NoSuchProgram."""
    for program in SHIPPED:
        if program.name == name:
            return program
    raise NoSuchProgram(name, names())


def shipped_image(name: str) -> bytes:
    """The ELF file of a program that ships. Raises NoSuchProgram."""
    return files("kmigrate.impl.programs").joinpath("elf", f"{shipped(name).name}.elf").read_bytes()


def load(name: str) -> UserProgram:
    """A program by its name, or by the path of its ELF file.

    Raises  NoSuchProgram, NoSource, BadElf, WrongLayout
    """
    if name.endswith(".elf") or "/" in name:
        return load_file(Path(name))
    return _load_shipped(name)


@cache
def _load_shipped(name: str) -> UserProgram:
    return read_user_program(name, shipped_image(name))
