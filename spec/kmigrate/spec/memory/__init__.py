"""L2, memory: frames, kernel pages, tables, TLBs and caches of one cluster."""

from kmigrate.spec.memory.memory import Memory, PublishedMemory

__all__ = ["Memory", "PublishedMemory"]
