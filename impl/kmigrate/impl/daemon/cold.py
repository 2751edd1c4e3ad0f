"""Cold migration at the source: the process is stopped, and saved whole before the first piece of it is sent.

A piece is saved with each run of a task, so that saving takes its time; then the checkpoint is sealed, and handed
to whoever keeps checkpoints. The pieces on the wire are those of the checkpoint: the process at the source is not
read again.

Source: thesis 2.4.1.1; spec/modes (save, seal).
"""

from collections.abc import Callable

from kmigrate.impl.daemon.attempt import SourceRecord
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image import Image, pieces
from kmigrate.impl.kernel.syscall import Outcome, Request
from kmigrate.impl.kernel.task import Trigger
from kmigrate.spec.vocabulary import SourcePhase


class Saving:
    """Saves the process of one source.

    current  gives the attempt that is open
    sealed   goes on with it when its checkpoint is whole
    keep     is given each sealed checkpoint
    """

    def __init__(
        self,
        station: Station,
        current: Callable[[], SourceRecord | None],
        sealed: Callable[[SourceRecord], None],
    ) -> None:
        self.keep: Callable[[Image], None] = lambda image: None
        self._station = station
        self._current = current
        self._sealed = sealed
        self._save = station.kernel.tasks.graph.create(self._save_piece)

    def begin(self, record: SourceRecord) -> None:
        """The image is taken: save it."""
        record.pieces = ()
        self._station.happened("saving", record.attempt)
        self._station.kernel.tasks.dispatch(self._save)

    def _save_piece(self, request: Request) -> Outcome:
        record = self._current()
        if record is None or record.phase is not SourcePhase.FREEZING or record.image is None:
            return 0  # it was given up
        whole = pieces(record.image)
        record.pieces = whole[: len(record.pieces) + 1]
        if len(record.pieces) < len(whole):
            self._station.kernel.dispatcher.exit(Trigger.AGAIN)
            return 0
        self.keep(record.image)
        self._station.happened("sealed", record.attempt, pieces=len(whole))
        self._sealed(record)
        return 0
