"""Outside programs that some tests ask. Where one is missing the test is skipped, but in CI it fails."""

from __future__ import annotations

import os
import shutil

import pytest


def need(*programs: str) -> None:
    """Go on only if all these programs are installed; in CI a missing one is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    message = f"not installed: {', '.join(missing)}"
    if os.environ.get("KMIGRATE_CI"):
        pytest.fail(message)
    pytest.skip(message)
