"""What goes over the wire of the portals, as a test sees it."""

from __future__ import annotations

import pytest

from kmigrate.impl.hal.active_portal import ActivePortal
from kmigrate.impl.kernel.communicators import Header


class Wire:
    """Counts pieces from now on.

    sizes  useful bytes of each piece, in the order in which they were written
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        write = ActivePortal.write

        def counted(active: ActivePortal, target: int, piece: bytes) -> bool:
            self.sizes.append(Header.unpack(piece)[0].size)
            return write(active, target, piece)

        monkeypatch.setattr(ActivePortal, "write", counted)
