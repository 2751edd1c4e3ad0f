"""What can go wrong with user programs, one class per cause."""

from difflib import get_close_matches
from pathlib import Path

from kmigrate.impl.errors import ImplError


class NoToolchain(ImplError):
    """Programs cannot be built here: the compiler is missing, or another version of it is installed."""

    def __init__(self, found: str | None, needed: str) -> None:
        what = "no compiler is installed" if found is None else f"ziglang {found} is installed, not {needed}"
        super().__init__(f"{what}; pip install 'kmigrate[toolchain]' brings the right one")
        self.found = found
        self.needed = needed


class NotBuilt(ImplError):
    """The compiler or the linker refused a source."""

    def __init__(self, source: str, stage: str, output: str) -> None:
        complaint = next((line for line in output.splitlines() if "error" in line), output.strip())
        super().__init__(f"{source} cannot be {stage}: {complaint}")
        self.source = source
        self.stage = stage
        self.output = output


class NoSource(ImplError):
    """A source cannot be read, or is none."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


class NoSuchProgram(ImplError):
    """A program was asked for that does not ship with the package."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        super().__init__(f"no program is called {name!r}; {hint}")
        self.name = name


class WrongLayout(ImplError):
    """A program does not lie where the kernel of this geometry expects it."""

    def __init__(self, program: str, what: str, found: str, needed: str) -> None:
        super().__init__(f"program {program}: {what} is {found}, but {needed}; link it with our script")
        self.program = program
        self.what = what
        self.found = found
        self.needed = needed


class BadArgument(ImplError):
    """A program was given an argument that it cannot take."""

    def __init__(self, what: str, found: int, most: int) -> None:
        super().__init__(f"{what}: {found}, but it must be 0..{most}")
        self.what = what
        self.found = found
        self.most = most
