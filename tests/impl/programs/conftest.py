"""The compiler, once for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from kmigrate.impl.programs.toolchain import ZIGLANG, Toolchain, installed_version


@pytest.fixture(scope="session")
def toolchain() -> Iterator[Toolchain]:
    """Where the right compiler is not installed the test is skipped; in CI it fails."""
    if installed_version() != ZIGLANG:
        message = f"not installed: ziglang {ZIGLANG}"
        if os.environ.get("KMIGRATE_CI"):
            pytest.fail(message)
        pytest.skip(message)
    with Toolchain() as made:
        yield made
