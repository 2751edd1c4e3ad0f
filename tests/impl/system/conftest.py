"""The compiler, as the tests of programs have it."""

from __future__ import annotations

from impl.programs.conftest import toolchain

__all__ = ["toolchain"]
