"""The table of who may import whom holds, and breaking it is reported with file and line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.layers import MAY_IMPORT, NAMESPACE, ROOTS, below, violations

REPOSITORY = Path(__file__).parents[2]


def test_the_sources_keep_to_their_layers() -> None:
    assert violations(REPOSITORY) == []


def test_the_table_is_read_against_real_sources() -> None:
    assert list((REPOSITORY / "spec" / NAMESPACE / "spec" / "language").glob("*.py"))


def test_every_part_may_import_itself() -> None:
    assert all(below(part, allowed) for part, allowed in MAY_IMPORT.items())


# -- planted violations -----------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for root in ROOTS:
        if (REPOSITORY / root).is_dir():
            shutil.copytree(REPOSITORY / root, tmp_path / root, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def plant(root: Path, path: str, text: str) -> None:
    """Write a file, and the `__init__.py` and `py.typed` that its package needs."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if len(Path(path).parts) > 3:
        for name in ("__init__.py", "py.typed"):
            (file.parent / name).touch()
    file.write_text(text, encoding="utf-8")


def new(root: Path) -> list[str]:
    known = set(violations(REPOSITORY))
    return [line for line in violations(root) if line not in known]


def test_a_faithful_copy_has_no_violation_of_its_own(copy: Path) -> None:
    assert new(copy) == []


FORBIDDEN = [
    ("spec", "spec/planted.py", "import kmigrate.impl", "kmigrate.spec.planted imports kmigrate.impl"),
    ("spec", "spec/planted.py", "from kmigrate import checker", "kmigrate.spec.planted imports kmigrate.checker"),
    ("spec", "spec/planted.py", "import z3", "kmigrate.spec.planted imports z3"),
    ("spec", "spec/language/model2.py", "from z3 import And", "kmigrate.spec.language.model2 imports z3"),
    ("spec", "spec/planted.py", "import networkx", "kmigrate.spec.planted imports networkx"),
    ("impl", "impl/planted.py", "from kmigrate.spec import Model", "imports kmigrate.spec.Model"),
    ("impl", "impl/planted.py", "from kmigrate.spec.protocol import Published", "imports kmigrate.spec.protocol"),
    ("impl", "impl/planted.py", "import kmigrate.spec", "imports kmigrate.spec"),
    ("impl", "impl/planted.py", "from kmigrate.spec import *", "imports kmigrate.spec.*"),
    ("impl", "impl/planted.py", "import z3", "kmigrate.impl.planted imports z3"),
    ("checker", "checker/planted.py", "import kmigrate.impl.chip", "imports kmigrate.impl.chip"),
    ("checker", "checker/planted.py", "import kmigrate.report", "imports kmigrate.report"),
    ("checker", "conformance/planted.py", "import kmigrate.report", "imports kmigrate.report"),
    ("checker", "conformance/judging/planted.py", "import kmigrate.conformance.parts", "which stands above it"),
    ("checker", "conformance/runs/planted.py", "from kmigrate.conformance import Plan", "which stands above it"),
    ("checker", "report/planted.py", "import kmigrate.impl", "imports kmigrate.impl"),
    ("checker", "report/planted.py", "import z3", "kmigrate.report.planted imports z3"),
    ("checker", "report/planted.py", "import kmigrate.cli", "only kmigrate.__main__ may import kmigrate.cli"),
    ("checker", "checker/planted.py", "from kmigrate.cli import main", "only kmigrate.__main__ may import"),
    ("proofs", "proofs/planted.py", "import kmigrate.conformance", "imports kmigrate.conformance"),
    ("checker", "checker/planted.py", "from .errors import CheckerError", "a relative import"),
    ("checker", "checker/planted.py", "from . import errors", "a relative import"),
    (
        "impl",
        "impl/planted.py",
        "__import__('kmigrate.spec.protocol')",
        "kmigrate.impl.planted imports kmigrate.spec.protocol",
    ),
    (
        "checker",
        "checker/planted.py",
        "import importlib; importlib.import_module('kmigrate.impl')",
        "kmigrate.checker.planted imports kmigrate.impl",
    ),
]


@pytest.mark.parametrize(("root", "path", "statement", "sentence"), FORBIDDEN)
def test_a_forbidden_import_is_reported_with_its_line(
    copy: Path, root: str, path: str, statement: str, sentence: str
) -> None:
    plant(copy, f"{root}/{NAMESPACE}/{path}", f'"""Planted."""\n\ndef late() -> None:\n    {statement}\n')
    (line,) = new(copy)
    assert line.startswith(f"{root}/{NAMESPACE}/{path}:4: ")
    assert sentence in line


ALLOWED = [
    ("spec", "spec/planted.py", "from kmigrate.spec.language import Model"),
    ("spec", "spec/planted.py", "import dataclasses"),
    ("impl", "impl/planted.py", "from kmigrate.spec.vocabulary import Mstate"),
    ("impl", "impl/planted.py", "from kmigrate.spec import vocabulary"),
    ("checker", "checker/planted.py", "import z3"),
    (
        "checker",
        "conformance/parts/planted.py",
        "import kmigrate.conformance.judging, kmigrate.conformance.parts.part",
    ),
    ("checker", "conformance/planted.py", "import kmigrate.impl, kmigrate.checker, kmigrate.spec"),
    ("checker", "report/planted.py", "import kmigrate.conformance"),
    ("proofs", "proofs/planted.py", "import kmigrate.checker, kmigrate.spec"),
]


@pytest.mark.parametrize(("root", "path", "statement"), ALLOWED)
def test_an_allowed_import_is_not_reported(copy: Path, root: str, path: str, statement: str) -> None:
    plant(copy, f"{root}/{NAMESPACE}/{path}", statement + "\n")
    assert new(copy) == []


@pytest.mark.parametrize("path", ["checker/kmigrate/cli.py", "checker/kmigrate/cli/__init__.py"])
def test_the_command_line_may_import_everything_and_main_may_import_it(tmp_path: Path, path: str) -> None:
    plant(tmp_path, path, "import kmigrate.impl\nimport kmigrate.report\n")
    plant(tmp_path, "checker/kmigrate/__main__.py", "from kmigrate.cli import main\n")
    assert violations(tmp_path) == []


def test_a_second_owner_of_a_package_is_reported(copy: Path) -> None:
    plant(copy, "checker/kmigrate/spec/vocabulary.py", "")
    assert "checker/kmigrate/spec/vocabulary.py:1: kmigrate.spec is owned by spec/kmigrate/spec already" in new(
        copy
    )


def test_a_second_owner_of_a_module_is_reported(tmp_path: Path) -> None:
    plant(tmp_path, "spec/kmigrate/cli.py", "")
    plant(tmp_path, "impl/kmigrate/cli.py", "")
    assert violations(tmp_path) == ["impl/kmigrate/cli.py:1: kmigrate.cli is owned by spec/kmigrate/cli.py already"]


def test_a_module_and_a_package_of_one_name_are_reported(copy: Path) -> None:
    plant(copy, "spec/kmigrate/spec/language.py", "")
    assert new(copy) == [
        "spec/kmigrate/spec/language.py:1: kmigrate.spec.language is owned by spec/kmigrate/spec/language already"
    ]


@pytest.mark.parametrize("root", ROOTS)
def test_an_init_in_a_root_is_reported(copy: Path, root: str) -> None:
    plant(copy, f"{root}/kmigrate/__init__.py", "")
    found = [line for line in new(copy) if "a root is no package" in line]
    assert found == [
        f"{root}/kmigrate/__init__.py:1: a root is no package: without this file the roots merge into kmigrate"
    ]


def test_a_package_without_init_or_marker_is_reported(tmp_path: Path) -> None:
    plant(tmp_path, "proofs/kmigrate/proofs/claims/lemma.py", "")
    assert violations(tmp_path) == [
        "proofs/kmigrate/proofs/__init__.py:1: is missing: every package below a root has one",
        "proofs/kmigrate/proofs/py.typed:1: is missing: every top package is typed",
    ]


def test_a_part_that_is_not_in_the_table_is_reported(copy: Path) -> None:
    plant(copy, "impl/kmigrate/extras.py", "import kmigrate.spec\n")
    assert new(copy) == [
        "impl/kmigrate/extras.py:1: kmigrate.extras has no row in the table of imports",
        "impl/kmigrate/extras.py:1: kmigrate.extras imports kmigrate.spec; it may import nothing of ours",
    ]


def test_roots_that_do_not_exist_yet_are_fine(tmp_path: Path) -> None:
    assert violations(tmp_path) == []


# -- what is loaded ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module", ["kmigrate.spec", "kmigrate.spec.protocol", "kmigrate.spec.language", "kmigrate.impl"]
)
def test_importing_the_specification_or_the_library_starts_no_solver(module: str) -> None:
    path = [str(REPOSITORY / root) for root in ROOTS]
    program = f"import sys; sys.path[:0] = {path}; import {module}; print('z3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
