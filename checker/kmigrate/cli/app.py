"""The application object, and what all commands share: output, wrong use, JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

PLAIN_WIDTH = 110
"""Columns where the output is not a terminal."""

app = typer.Typer(
    name="kmigrate",
    help="Process migration on lightweight manycores: check the model, run the machine, judge one by the other.",
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)


class WrongUse(Exception):
    """Something on the command line cannot be understood; the message says what would be right."""


@app.callback()
def _whole(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(2)


JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def console() -> Console:
    """Where text goes: as wide as the terminal, or 110 columns where there is none."""
    made = Console(highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PLAIN_WIDTH
    return made


def numbers(settings: list[str]) -> dict[str, int]:
    """What `--set name=number` says, each of them; WrongUse for anything else."""
    given = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not value.lstrip("-").isdigit():
            raise WrongUse(f"--set {setting}: write --set name=number")
        given[name] = int(value)
    return given


def print_json(document: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_text(text: str, output: Path | None) -> None:
    """Write a text to a file, whole or not at all, or to the terminal."""
    if output is None:
        sys.stdout.write(text)
        return
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, output)
    except OSError as error:
        raise WrongUse(f"{output} cannot be written: {error.strerror}") from None
