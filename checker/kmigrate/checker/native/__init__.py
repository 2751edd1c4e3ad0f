"""The native engine: explicit-state checking in machine code made from the model's own text."""

from kmigrate.checker.native.engine import check

__all__ = ["check"]
