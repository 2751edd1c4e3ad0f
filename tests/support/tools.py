"""Outside programs that some tests ask. Where one is missing the test is skipped, but in CI it fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def need(*programs: str) -> None:
    """Go on only if all these programs are installed; in CI a missing one is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        lack(", ".join(missing))


def lack(what: str) -> NoReturn:
    """End the test because something is not installed: skipped on a user's machine, a failure in CI."""
    if os.environ.get("KMIGRATE_CI"):
        pytest.fail(f"not installed: {what}")
    pytest.skip(f"not installed: {what}")
