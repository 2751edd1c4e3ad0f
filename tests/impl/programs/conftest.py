"""The compiler, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kmigrate.impl.programs.toolchain import ZIGLANG, Toolchain, installed_version
from support.tools import lack


@pytest.fixture(scope="session")
def toolchain() -> Iterator[Toolchain]:
    """Where the right compiler is not installed the test is skipped; in CI it fails."""
    if installed_version() != ZIGLANG:
        lack(f"ziglang {ZIGLANG}")
    with Toolchain() as made:
        yield made
