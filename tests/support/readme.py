"""The transcripts in README.md: found, compared, and written anew with `python tests/support/readme.py`."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
_BLOCK = re.compile(r"<!-- output: (?P<command>[^\n]+) -->\n```\n(?P<output>.*?)```\n", re.DOTALL)


def transcripts() -> list[tuple[str, str]]:
    """Each command that README.md shows the output of, with that output."""
    return [(m["command"], m["output"]) for m in _BLOCK.finditer(README.read_text(encoding="utf-8"))]


def output_of(command: str) -> str:
    """What a command prints today, without the spaces at the ends of lines."""
    program, *arguments = shlex.split(command)
    assert program == "kmigrate"
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "kmigrate", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.strip("\n").splitlines())


def main() -> None:
    """Write README.md with today's output."""
    text = README.read_text(encoding="utf-8")

    def today(match: re.Match[str]) -> str:
        return f"<!-- output: {match['command']} -->\n```\n{output_of(match['command'])}```\n"

    README.write_text(_BLOCK.sub(today, text), encoding="utf-8")


if __name__ == "__main__":
    main()
