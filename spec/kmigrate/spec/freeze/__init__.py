"""L2, freeze: cores, threads, boards and the kernel's side of a process's image."""

from kmigrate.spec.freeze.freeze import Freeze, PublishedFreeze

__all__ = ["Freeze", "PublishedFreeze"]
