"""Building programs: C sources to objects by layer, objects to one ELF file, the same bytes every time.

Sources are compiled in their own folder, so that no path gets into an object, and linked by bare names in a fixed
order. One version of the compiler is pinned; another would make other bytes.

Source: ours.
"""

import os
import subprocess
import sys
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.programs.catalogue import SHIPPED, SOURCES
from kmigrate.impl.programs.errors import NoSource, NotBuilt, NoToolchain
from kmigrate.impl.programs.header import kernel_header
from kmigrate.impl.programs.linkage import LAYERS, USER, Target, link_script

ZIGLANG = "0.17.1"
"""The compiler's version, as the extra `toolchain` has it."""


class Optimisation(Enum):
    """How much the compiler does, by the letter of its flag."""

    NONE = "0"
    SPEED = "2"
    SIZE = "s"


MAX_ELF_PAGE = 64
"""Alignment of segments in the file; nothing maps it, so pages would only be padding."""

FLAGS = (
    "-target",
    "riscv32-freestanding-none",
    "-mcpu=generic_rv32+m",
    "-std=c11",
    "-ffreestanding",
    "-fno-builtin",
    "-g0",
    "-fno-pic",
    "-ffunction-sections",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)

STRICT = ("-Wall", "-Wextra", "-Werror")
"""For our own sources; those of users are theirs."""

PROGRAM = "program"
"""What the program is called while it is built; the runtime has no such part."""

SHIPPED_FOLDER = Path(__file__).parent / "elf"


def installed_version() -> str | None:
    """The version of the compiler that is installed; None without one."""
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return None


class Toolchain:
    """A compiler at work in a folder of its own; used as a context, after which the folder is gone.

    Raises  NoToolchain unless the pinned version is installed
    """

    def __init__(self, geometry: Geometry = MPPA256) -> None:
        found = installed_version()
        if found != ZIGLANG:
            raise NoToolchain(found, ZIGLANG)
        self._temporary = TemporaryDirectory(prefix="kmigrate-")
        self._folder = Path(self._temporary.name)
        self._runtimes: dict[tuple[Target, Optimisation], list[str]] = {}
        (self._folder / "kernel.h").write_text(kernel_header(geometry), encoding="utf-8")
        for target in Target:
            self._script(target).write_text(link_script(geometry, target), encoding="utf-8")

    def __enter__(self) -> "Toolchain":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._temporary.cleanup()

    def build(
        self, source: Path, *, optimisation: Optimisation = Optimisation.SIZE, target: Target = Target.CLUSTER
    ) -> bytes:
        """The ELF file of one C source with our runtime. Raises NoSource, NotBuilt."""
        if not source.is_file():
            raise NoSource(source, "there is no such file")
        folder = self._folder_of(target, optimisation)
        made = self._compile(source, folder / f"{USER}.{PROGRAM}.o", optimisation)
        objects = [*self._runtime(target, optimisation), made.name]
        arguments = ["ld.lld", "-T", str(self._script(target)), "-z", f"max-page-size={MAX_ELF_PAGE}"]
        arguments += ["--build-id=none", "--orphan-handling=error", "--no-relax", "-o", PROGRAM]
        self._run(source, "linked", [*arguments, *objects], folder)
        return (folder / PROGRAM).read_bytes()

    def _runtime(self, target: Target, optimisation: Optimisation) -> list[str]:
        """The names of the runtime's objects, with the part that differs by target."""
        built = self._runtimes.get((target, optimisation))
        if built is None:
            folder = self._folder_of(target, optimisation)
            runtime = SOURCES / "runtime"
            sources = [(LAYERS[0], runtime / "target" / f"{target.value}.c")]
            sources += [
                (layer, path) for layer in (*LAYERS, USER) for path in sorted((runtime / layer).glob("*.c"))
            ]
            made = [(path, folder / f"{layer}.{path.stem}.o") for layer, path in sources]
            built = [self._compile(path, goal, optimisation).name for path, goal in made]
            self._runtimes[target, optimisation] = built
        return built

    def _compile(self, source: Path, goal: Path, optimisation: Optimisation) -> Path:
        arguments = ["cc", *FLAGS, *(STRICT if source.is_relative_to(SOURCES) else ())]
        arguments += [f"-O{optimisation.value}", f"-I{self._folder}", f"-I{SOURCES / 'runtime'}"]
        self._run(source, "compiled", [*arguments, "-c", f"./{source.name}", "-o", str(goal)], source.parent)
        return goal

    def _folder_of(self, target: Target, optimisation: Optimisation) -> Path:
        folder = self._folder / f"{target.value}-{optimisation.value}"
        folder.mkdir(exist_ok=True)
        return folder

    def _run(self, source: Path, stage: str, arguments: list[str], folder: Path) -> None:
        caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(self._folder / "cache"))
        done = subprocess.run(  # noqa: S603 - our own compiler, no shell
            [sys.executable, "-m", "ziglang", *arguments],
            cwd=folder,
            env={**os.environ, **caches},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotBuilt(str(source), stage, done.stderr)

    def _script(self, target: Target) -> Path:
        return self._folder / f"{target.value}.ld"


def build_shipped() -> dict[str, bytes]:
    """Build every program that ships: its name, its ELF file. Raises NoToolchain, NotBuilt."""
    with Toolchain() as toolchain:
        return {program.name: toolchain.build(SOURCES / "programs" / f"{program.name}.c") for program in SHIPPED}


def differing(images: dict[str, bytes]) -> tuple[str, ...]:
    """The programs whose shipped ELF file is not what was built, and shipped files that are no program's."""
    found = {path.stem: path.read_bytes() for path in sorted(SHIPPED_FOLDER.glob("*.elf"))}
    return tuple(name for name in sorted(dict.fromkeys((*images, *found))) if images.get(name) != found.get(name))


def ship(images: dict[str, bytes]) -> None:
    """Write the ELF files that ship, and remove those of programs that are no more."""
    SHIPPED_FOLDER.mkdir(exist_ok=True)
    for path in sorted(SHIPPED_FOLDER.glob("*.elf")):
        if path.stem not in images:
            path.unlink()
    for name, image in images.items():
        (SHIPPED_FOLDER / f"{name}.elf").write_bytes(image)
