"""What goes wrong in a migration daemon, one class per cause."""

from kmigrate.impl.errors import ImplError


class Scattered(ImplError):
    """A kernel without the UArea was to get a daemon, but its process is not one stretch of memory."""

    def __init__(self) -> None:
        super().__init__("this kernel keeps its structures apart; a daemon needs one that is placed with the UArea")


class NoNetwork(ImplError):
    """A kernel without a network was to get a daemon."""

    def __init__(self, node: int) -> None:
        super().__init__(f"the kernel of node {node} has no network; a daemon needs its mailboxes and portals")
        self.node = node


class NoRoom(ImplError):
    """The kernel image has no room for what a daemon keeps in it."""

    def __init__(self, needed: int, room: int) -> None:
        super().__init__(f"a daemon keeps {needed} bytes in the kernel image, which has room for {room}")
        self.needed = needed
        self.room = room
