"""The layers of the sources: who may import whom, and what the four roots must look like.

`violations(root)` reads the table below against the sources, without importing them. Each violation is one
line, `path:line: sentence`, its path relative to `root`. The table stands here and nowhere else.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

NAMESPACE = "kmigrate"
ROOTS = ("spec", "impl", "checker", "proofs")
"""The source roots; each holds a folder `kmigrate` without `__init__.py`, and they merge into one namespace."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "kmigrate.spec": ("kmigrate.spec",),
    "kmigrate.impl": ("kmigrate.impl", "kmigrate.spec.vocabulary"),
    "kmigrate.checker": ("kmigrate.checker", "kmigrate.spec"),
    "kmigrate.proofs": ("kmigrate.proofs", "kmigrate.checker", "kmigrate.spec"),
    "kmigrate.conformance": ("kmigrate.conformance", "kmigrate.checker", "kmigrate.impl", "kmigrate.spec"),
    "kmigrate.report": ("kmigrate.report", "kmigrate.conformance", "kmigrate.checker", "kmigrate.spec"),
    "kmigrate.cli": ("kmigrate",),
    "kmigrate.__main__": ("kmigrate",),
}
"""Part → what it may import of ours: those modules and what stands below them."""

FLOORS: dict[str, tuple[str, ...]] = {
    "kmigrate.conformance": (
        *("errors", "mutations", "settings", "judging", "systems", "runs", "parts", "campaigns"),
    ),
}
"""Part → what is in it, from the ground up: nothing imports what stands above it. What is not named is on top."""

CLI = "kmigrate.cli"
MAY_IMPORT_CLI = ("kmigrate.__main__", CLI)

MAY_IMPORT_Z3 = (
    "kmigrate.spec.language.paths",
    "kmigrate.spec.language.proxy",
    "kmigrate.spec.language.fork",
    "kmigrate.spec.language.trace",
    "kmigrate.spec.language.quantify",
    "kmigrate.spec.language.stores",
    "kmigrate.spec.language.symbols",
    "kmigrate.spec.language.unbounded",
    "kmigrate.checker",
    "kmigrate.proofs",
)

ONLY_STANDARD = ("kmigrate.spec",)
"""Parts that import nothing of others but the standard library (and z3 where it may be imported)."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `from a.b import c` imports `a.b.c`."""

    name: str
    line: int
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file below a root."""

    path: PurePosixPath
    """Relative to the repository."""
    module: str
    """Its dotted name; a package's own for an `__init__.py`."""
    imports: tuple[Import, ...]


def violations(root: Path) -> list[str]:
    """Everything that breaks the layers in the repository at `root`, ordered by file and line."""
    sources = list(_sources(root))
    found = [
        *_layout(root),
        *_owners(root),
        *(line for source in sources for line in _imports_of(source)),
    ]
    return [str(line) for line in sorted(found)]


@dataclass(frozen=True, slots=True, order=True)
class _Line:
    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


def below(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of `parts` or stands below one."""
    return any(name == part or name.startswith(part + ".") for part in parts)


def part_of(module: str) -> str:
    """The part of the project that a module belongs to: `kmigrate.spec` for `kmigrate.spec.language`."""
    return ".".join(module.split(".")[:2])


# -- files ------------------------------------------------------------------------------------------


def _files(root: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """(root's name, path below `<root>/kmigrate`) of every Python file."""
    for name in ROOTS:
        top = root / name / NAMESPACE
        for file in sorted(top.rglob("*.py")):
            yield name, PurePosixPath(file.relative_to(top).as_posix())


def _module(below_root: PurePosixPath) -> str:
    parts = [NAMESPACE, *below_root.with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _sources(root: Path) -> Iterator[Source]:
    for name, file in _files(root):
        path = PurePosixPath(name, NAMESPACE, file)
        yield Source(path, _module(file), imports((root / path).read_text(encoding="utf-8")))


# -- layout -----------------------------------------------------------------------------------------


def _layout(root: Path) -> Iterator[_Line]:
    packages: set[PurePosixPath] = set()
    for name, file in _files(root):
        path = PurePosixPath(name, NAMESPACE, file)
        if file.name == "__init__.py" and len(file.parts) == 1:
            yield _Line(str(path), 1, f"a root is no package: without this file the roots merge into {NAMESPACE}")
        if part_of(_module(file)) not in (*MAY_IMPORT, NAMESPACE):
            yield _Line(str(path), 1, f"{part_of(_module(file))} has no row in the table of imports")
        packages.update(PurePosixPath(name, NAMESPACE, parent) for parent in file.parents if parent.parts)
    for package in sorted(packages):
        if not (root / package / "__init__.py").is_file():
            yield _Line(str(package / "__init__.py"), 1, "is missing: every package below a root has one")
        if len(package.parts) == 3 and not (root / package / "py.typed").is_file():
            yield _Line(str(package / "py.typed"), 1, "is missing: every top package is typed")


def _owners(root: Path) -> Iterator[_Line]:
    owner: dict[str, PurePosixPath] = {}
    for name, file in _files(root):
        top = PurePosixPath(name, NAMESPACE)
        packages = [(top / parent, ".".join((NAMESPACE, *parent.parts))) for parent in file.parents if parent.parts]
        for path, module in [*reversed(packages), (top / file, _module(file))]:
            place = path.parent if path.name == "__init__.py" else path
            first = owner.setdefault(module, place)
            if first != place:
                yield _Line(str(top / file), 1, f"{module} is owned by {first} already")
                break


# -- imports ----------------------------------------------------------------------------------------


@cache
def imports(text: str) -> tuple[Import, ...]:
    """Every import in the text of a module, also inside functions and those made by `import_module`."""
    return tuple(_found(ast.parse(text)))


def _found(tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (Import(alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module, names, level):
                prefix = f"{module}." if module else ""
                yield from (Import(prefix + alias.name, node.lineno, bool(level)) for alias in names)
            case ast.Call(ast.Name(called) | ast.Attribute(attr=called), [ast.Constant(str(name)), *_]):
                if called in ("import_module", "__import__"):
                    yield Import(name, node.lineno, name.startswith("."))


def _imports_of(source: Source) -> Iterator[_Line]:
    for imported in source.imports:
        for sentence in _objections(source.module, imported):
            yield _Line(str(source.path), imported.line, sentence)


def _floor(module: str, part: str) -> int:
    """How high a module of a part stands in it."""
    inside = module.removeprefix(part).lstrip(".").partition(".")[0]
    return FLOORS[part].index(inside) if inside in FLOORS[part] else len(FLOORS[part])


def _objections(importer: str, imported: Import) -> Iterator[str]:
    name = imported.name
    top = name.partition(".")[0]
    if imported.relative:
        yield "a relative import; write the whole name"
    elif below(name, (CLI,)) and not below(importer, MAY_IMPORT_CLI):
        yield f"{importer} imports {name}; only kmigrate.__main__ may import {CLI}"
    elif top == NAMESPACE:
        allowed = MAY_IMPORT.get(part_of(importer), ())
        if not below(name, allowed):
            yield f"{importer} imports {name}; it may import {' and '.join(allowed) or 'nothing of ours'}"
        part = part_of(importer)
        if part in FLOORS and below(name, (part,)) and _floor(name, part) > _floor(importer, part):
            yield f"{importer} imports {name}, which stands above it"
    elif top == "z3":
        if not below(importer, MAY_IMPORT_Z3):
            yield f"{importer} imports z3; only {', '.join(MAY_IMPORT_Z3)} may"
    elif below(importer, ONLY_STANDARD) and top not in sys.stdlib_module_names:
        yield f"{importer} imports {top}; {part_of(importer)} may import the standard library only"
