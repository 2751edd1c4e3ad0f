"""L3, the image: taken at once when the barrier is passed, carried section by section, put in at once at the end.

What a section carries besides the process's identity is what stood in the kernel at the barrier: the threads'
states, the boards, the frames. A destination keeps what has come apart; its kernel sees nothing before the end.

Source: thesis 4.5.1.2; nanvix-facts 7.4, 7.6, 11. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.freeze.cluster import Life
from kmigrate.spec.language import Map, array
from kmigrate.spec.language.model import show
from kmigrate.spec.machine.kernel import Core, Frames, Kernel, Thread, ThreadOrNone
from kmigrate.spec.protocol import ClusterId
from kmigrate.spec.protocol.attempt import Attempt


class Images(Kernel):
    """What the image of an attempt says, from the barrier to the attempt's end at its destination."""

    carried: Map[tuple[int, int], Life] = array(
        "the state in a thread's slot", Attempt, Thread, of=Life, init=Life.ABSENT
    )
    carried_board: Map[tuple[int, int], int] = array(
        "whose call is pending", Attempt, Core, of=ThreadOrNone, init=0
    )
    carried_answer: Map[tuple[int, int], int] = array(
        "whose answer lies on the board", Attempt, Core, of=ThreadOrNone, init=0
    )
    listed: Map[int, int] = array("frames that the manifest lists", Attempt, of=Frames, init=0)

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The cluster whose kernel or daemon acts, the network, or the name service."""
        return show(arguments["cluster"]) if "cluster" in arguments else super().lane(action, arguments)

    def take_image(self, attempt: int, here: ClusterId) -> None:
        """The kernel's part of the process as it stands now."""
        for thread in range(1, self.threads + 1):
            self.carried[attempt, thread] = self.life[here, thread]
        for core in range(1, self.cores + 1):
            self.carried_board[attempt, core] = self.board[here, core]
            self.carried_answer[attempt, core] = self.answered[here, core]
        self.listed[attempt] = self.used[here]

    def put_image(self, attempt: int, there: ClusterId) -> None:
        """The same at the destination, the READY queue rebuilt."""
        for thread in range(1, self.threads + 1):
            self.life[there, thread] = self.carried[attempt, thread]
            self.queued[there, thread] = self.carried[attempt, thread] == Life.READY
        for core in range(1, self.cores + 1):
            self.board[there, core] = self.carried_board[attempt, core]
            self.answered[there, core] = self.carried_answer[attempt, core]
        self.used[there] = self.listed[attempt]

    def forget_image(self, attempt: int) -> None:
        """Nothing is carried."""
        for thread in range(1, self.threads + 1):
            self.carried[attempt, thread] = Life.ABSENT
        for core in range(1, self.cores + 1):
            self.carried_board[attempt, core] = 0
            self.carried_answer[attempt, core] = 0
        self.listed[attempt] = 0
