"""The way in: one command, one exit code, one line for whatever was wrong."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from kmigrate.checker import CheckerError
from kmigrate.cli import (
    campaign,
    check,
    checkpoint,
    experiment,
    explore,
    export,
    hazards,
    image,
    migrate,
    orders,
    program,
    prove,
    replay,
    run,
)
from kmigrate.cli.app import WrongUse, app
from kmigrate.conformance import ConformanceError
from kmigrate.conformance.errors import AnotherRun
from kmigrate.impl import ImplError
from kmigrate.proofs import ProofError
from kmigrate.spec.language import SpecError

COMMANDS = (
    check,
    hazards,
    orders,
    export,
    run,
    migrate,
    checkpoint,
    experiment,
    program,
    campaign,
    explore,
    replay,
    image,
    prove,
)
"""Importing these modules is what registers their commands."""


COLLECTIONS = (50_000, 20, 10)
"""When garbage that refers to itself is looked for: commands keep objects by the million and leave next to none, so
that looking as often as usual takes a quarter of their time."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command; wrong use and bad input are one line each and exit 2."""
    gc.set_threshold(*COLLECTIONS)
    try:
        code = app(arguments, standalone_mode=False)
    except TyperException as error:
        _fail(error.format_message())
    except AnotherRun as error:
        _fail(str(error), 4)
    except (WrongUse, SpecError, CheckerError, ConformanceError, ImplError, ProofError) as error:
        _fail(str(error))
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("kmigrate: interrupted\n")
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = 2) -> NoReturn:
    sys.stderr.write(f"kmigrate: {' '.join(message.split())}\n")
    sys.exit(code)
