"""What both sides of a hardened daemon stand on: its kernel, its letters, its buffer, and who lives here.

Source: hardened coordination (ours).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from kmigrate.impl.daemon.attempt import Attempt, Refusal, Resident
from kmigrate.impl.daemon.courier import Courier
from kmigrate.impl.daemon.events import Tell, silent
from kmigrate.impl.daemon.following import Arriving, Serving
from kmigrate.impl.daemon.letters import HASH_BYTES, Kind, Letter
from kmigrate.impl.daemon.residence import Residence
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.spec.vocabulary import Mode


@dataclass(slots=True)
class Station:
    """One cluster as its daemon sees it.

    names        node of the name service
    piece        address of the buffer for pieces; a cluster sends or receives, never both
    piece_bytes  its size
    resident     the process that stands here
    seen         the highest epoch of each process that was given or seen here
    serving      pages that were left here by a process that has moved on
    arriving     pages of the process here that are still to come
    lost         attempts whose process was lost here with the node of its source
    tell         is told what happens
    watch        is told when there is something to wait for
    taken        says whether a process is being loaded here
    leaving      says whether an attempt to move the process that stands here is open
    runtime      says which runtime stands beside the kernel; empty for none
    """

    kernel: Kernel
    courier: Courier
    residence: Residence
    names: int
    piece: int
    piece_bytes: int
    resident: Resident | None = None
    serving: Serving | None = None
    arriving: Arriving | None = None
    lost: list[Attempt] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    tell: Tell = silent
    watch: Callable[[], None] = lambda: None
    taken: Callable[[], bool] = lambda: False
    leaving: Callable[[], bool] = lambda: False
    runtime: Callable[[], str] = lambda: ""

    def room_needed(self, attempt: Attempt, mode: Mode, port: int) -> Letter:
        """The letter that asks for the room that the process here needs now. `port` is that of its pieces here."""
        pages, frames = self.residence.kernel_pages, self.residence.frames
        return Letter(Kind.REQ, attempt, port, layout=self.layout, kernel_pages=pages, frames=frames, mode=mode)

    def happened(self, name: str, attempt: Attempt, **facts: int | str) -> None:
        """Tell an event of an attempt."""
        self.tell(name, {**attempt.facts, **facts})

    def why_stays(self) -> tuple[Refusal | None, str]:
        """Why the process that stands here cannot leave now, and in words; None if it can.

        What a source cannot do without must be there before the freeze: it has to reach the name service to commit.
        """
        if self.arriving is not None:
            return Refusal.UNDER_WAY, f"pages of attempt {self.arriving.attempt} are still to come"
        if self.resident is None or self.residence.empty:
            return Refusal.NOT_HERE, "no process stands here"
        bound = self.kernel.freezing.outside_the_image
        if bound:
            return Refusal.WAITERS, f"threads {', '.join(map(str, bound))} sleep or have what no image would hold"
        if not self.courier.reaches(self.names):
            return Refusal.NO_PORT, "no mailbox to the name service can be opened"
        return None, ""

    @property
    def pages_apart(self) -> bool:
        """Whether pages of a process that has moved are still to leave or to come."""
        return self.serving is not None or self.arriving is not None

    @property
    def node(self) -> int:
        """The own node."""
        return self.kernel.node

    @property
    def nodes(self) -> int:
        """Nodes of the network."""
        return self.kernel.placement.geometry.torus.nodes

    @property
    def layout(self) -> bytes:
        """As much of the hash of the kernel's layout, and of the runtime beside it, as a request carries."""
        kernel, runtime = self.residence.shape.kernel, self.runtime()
        return (
            blake2b(kernel + runtime.encode(), digest_size=HASH_BYTES).digest() if runtime else kernel[:HASH_BYTES]
        )
