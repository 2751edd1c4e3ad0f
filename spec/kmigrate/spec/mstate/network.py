"""What happens to a piece on its way, ordinary course and faults.

A piece leaves the sender's buffer when a permission is there. It carries nothing that says what it is, unless
pieces are framed: then one that is not awaited is dropped where it arrives, and the permission stays.

Source: nanvix-facts 2.4, 9 (H12); the faults are ours. Deviations: spec/README.md.
"""

from kmigrate.spec.language import action, require, weakly_fair
from kmigrate.spec.mstate.walk import Parcel, Side, Walk
from kmigrate.spec.vocabulary import Mechanism


class Portals(Walk):
    """One direction of a portal between the two sides."""

    def awaited(self) -> bool:
        """Whether the piece in the sender's buffer is the one that the receiver's walk stands at."""
        return (
            self.state[Side.SENDER] == self.state[Side.RECEIVER]
            and self.index[Side.SENDER] == self.index[Side.RECEIVER]
            and self.part[Side.SENDER] == self.part[Side.RECEIVER]
        )

    def ready(self) -> bool:
        """Whether a piece and a permission for it are at the sender."""
        return self.buffer != Parcel.NONE and self.permitted

    def arrive(self, parcel: Parcel) -> None:
        """A piece arrives, to be taken for what the receiver awaits, or to be dropped."""
        if self.awaited():
            self.landing = parcel
            self.permitted = False
        elif not self.has(Mechanism.FRAMING):
            self.landing = Parcel.FOREIGN
            self.permitted = False

    @weakly_fair
    @action
    def deliver(self) -> None:
        """A permitted piece leaves and arrives."""
        require(self.ready())
        self.arrive(self.buffer)
        self.buffer = Parcel.NONE

    @action
    def lose(self) -> None:
        """A fault: a piece and the permission for it are lost."""
        require(self.faulty < self.faults and self.ready())
        self.faulty = self.faulty + 1
        self.buffer = Parcel.NONE
        self.permitted = False

    @action
    def repeat(self) -> None:
        """A fault: the piece arrives, and the sender's side will send it once more."""
        require(self.faulty < self.faults and self.ready() and self.awaited())
        self.faulty = self.faulty + 1
        self.arrive(self.buffer)

    @action
    def corrupt(self) -> None:
        """A fault: the piece arrives with other bytes; a checksum finds it out."""
        require(self.faulty < self.faults and self.ready())
        self.faulty = self.faulty + 1
        if not self.has(Mechanism.CHECKSUM):
            self.arrive(Parcel.CORRUPT)
        self.buffer = Parcel.NONE
