"""What a move is expected to cost, before it begins: pieces, downtime, and whether another mode would do better.

The image is cut into pieces, so its size says how many; a piece costs the same whatever is in it. What is fixed is
counted: the freeze, the kernel's side of the process, which no mode sends ahead, the commit and the thaw. What the
process writes is taken from a sample: how many different pages it wrote within some stretches of time. Between two
of them it is expected to write as many as in the longer one, and never more than in the longest.

Source: thesis 5 (equation 5.4) and 2.4.1; the model of writing is ours.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.daemon.precopy import IN_ROUNDS, PAGES_FOLLOW
from kmigrate.impl.daemon.rounds import Limits, Rounds
from kmigrate.impl.image.sections import ORDER, PAGED, Shape
from kmigrate.spec.vocabulary import Mode


@dataclass(frozen=True, slots=True)
class Costs:
    """Cycles of the parts of a move.

    piece   one piece: asked for, permitted, sent, staged
    setup   from the request to the first WANT
    freeze  from that to the barrier
    commit  from the last piece to the record of the commit
    thaw    from there to the first step of the copy
    save    one piece of a checkpoint is saved (cold)
    """

    piece: int
    setup: int
    freeze: int
    commit: int
    thaw: int
    save: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a process holds, and how it writes.

    kernel_pages, frames  pages that it holds
    written               (cycles, different pages that it wrote within them), ascending; without any, all pages are
                          taken as written at once
    """

    kernel_pages: int
    frames: int
    written: tuple[tuple[int, int], ...] = ()

    def dirty(self, cycles: int) -> int:
        """Different pages that it is expected to write in a stretch of time."""
        if not self.written:
            return self.frames
        return next((pages for within, pages in self.written if within >= cycles), self.written[-1][1])

    @property
    def working_set(self) -> int:
        """Different pages that it wrote in the longest stretch."""
        return self.written[-1][1] if self.written else self.frames


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a move is expected to cost.

    frozen_pages    frames that are sent while the process is frozen
    rounds          of copying ahead
    pages_ahead     pages that are sent in them, repeated ones counted
    pages_behind    pages that follow
    pieces          of the image, the manifest and the digest included
    fixed           cycles of downtime that no page of the process causes
    downtime        cycles
    total           cycles from the request to the last page
    remark          what is to be said of it; empty for nothing
    """

    mode: Mode
    frozen_pages: int
    rounds: int
    pages_ahead: int
    pages_behind: int
    pieces: int
    fixed: int
    downtime: int
    total: int
    remark: str = ""


def pieces_of(shape: Shape, kernel_pages: int, frames: int) -> int:
    """Pieces of an image of so many pages, the manifest and the digest included."""
    count = 2
    for mstate in ORDER:
        step = shape.page_bytes if mstate in PAGED else PIECE_BYTES
        count += -(-shape.section_bytes(mstate, kernel_pages, frames) // step)
    return count


def predict(shape: Shape, load: Load, costs: Costs, mode: Mode, limits: Limits | None = None) -> Prediction:
    """What a move of a process is expected to cost in a mode."""
    ahead, dirty, rounds = (
        _copied_ahead(load, costs, limits or Limits()) if mode in IN_ROUNDS else (0, load.frames, 0)
    )
    frozen_pages = 0 if mode in PAGES_FOLLOW else dirty
    behind = dirty if mode in PAGES_FOLLOW else 0
    pieces = pieces_of(shape, load.kernel_pages, frozen_pages)
    fixed = costs.freeze + costs.commit + costs.thaw + pieces_of(shape, load.kernel_pages, 0) * costs.piece
    downtime = fixed + frozen_pages * costs.piece
    if mode is Mode.COLD:
        downtime += pieces * costs.save
    total = costs.setup + downtime + (ahead + behind) * costs.piece
    remark = ""
    if mode is Mode.PRE_COPY and frozen_pages >= load.frames:
        remark = (
            f"pre-copy's downtime cannot be below stop-and-copy's: all {load.frames} pages are written again "
            "while they are sent"
            if load.frames
            else "pre-copy's downtime cannot be below stop-and-copy's: the process holds no page"
        )
    return Prediction(mode, frozen_pages, rounds, ahead, behind, pieces, fixed, downtime, total, remark)


def _copied_ahead(load: Load, costs: Costs, limits: Limits) -> tuple[int, int, int]:
    """Pages that are sent ahead, those that are dirty at the end, and the rounds, by the daemon's own rule."""
    account, sent, dirty = Rounds(), 0, load.frames
    while not account.over(tuple(range(dirty)), limits):
        sent += len(account.owed)
        share = 100 - account.throttle
        dirty = load.dirty(len(account.owed) * costs.piece * share // 100)
    return sent, dirty, len(account.left)


def pages_within(shape: Shape, load: Load, costs: Costs, downtime: int) -> int | None:
    """How many frames may be left for the freeze if it may take so many cycles; None if not even none may."""
    room = downtime - predict(shape, load, costs, Mode.STOP_AND_COPY).fixed
    return None if room < 0 else room // costs.piece
