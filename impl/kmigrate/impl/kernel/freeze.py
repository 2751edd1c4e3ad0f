"""Holding the user threads back: freeze and unfreeze as published, and hold with a barrier.

`freeze` sets the word in the UArea, asks the slave cores to reschedule and returns without waiting; nobody waits
for them. `hold` is the hardened form: the flag is the kernel's own, so no image brings one; slaves post no new
call while it is set; and it says whether all is at rest, so that its caller asks until it is.

Source: thesis 4.5.1.2; nanvix-facts 5, 9 (H15, H17, H21, H24); nanvix-behaviours, freeze. `hold` is ours.
"""

from collections.abc import Callable

from kmigrate.impl.kernel.boards import Boards
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.scheduler import Event, Scheduler
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.impl.kernel.threads import GONE
from kmigrate.impl.kernel.uarea import UArea


class Freezing:
    """Freeze, hold and their opposites in one cluster.

    kept  whether the kernel keeps something for the process that is not in its image; set by the kernel
    """

    def __init__(self, uarea: UArea, boards: Boards, scheduler: Scheduler, calls: Calls) -> None:
        self._uarea = uarea
        self._boards = boards
        self._scheduler = scheduler
        self._calls = calls
        self.kept: Callable[[], bool] = lambda: False

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.FREEZE] = lambda core, arguments: self.freeze()
        calls.remote[Call.UNFREEZE] = lambda core, arguments: self.unfreeze()
        calls.remote[Call.USER_CALL_LOOKUP] = lambda core, arguments: int(self._boards.user_call_pending())
        calls.remote[Call.HOLD] = self._hold
        calls.remote[Call.RELEASE] = self._release

    def freeze(self) -> int:
        """Freeze; the second time nothing happens. The slave cores leave their threads later."""
        if not self._uarea.frozen:
            self._uarea.frozen = True
            self._reschedule()
        return 0

    def unfreeze(self) -> int:
        """Unfreeze; without a freeze nothing happens, and no core is told anything."""
        if self._uarea.frozen:
            self._uarea.frozen = False
            self._reschedule()
        return 0

    def hold(self) -> bool:
        """Hold all user threads back; whether they are at rest by now."""
        if not self._scheduler.held:
            self._scheduler.held = True
            self._reschedule()
        return self.at_rest

    def release(self) -> None:
        """Let the user threads run again."""
        if self._scheduler.held:
            self._scheduler.held = False
            self._reschedule()

    @property
    def at_rest(self) -> bool:
        """Whether no user thread is on a core or on its way into the queue, and no call of one is pending."""
        scheduler = self._scheduler
        slaves = range(1, scheduler.cores)
        return (
            scheduler.frozen
            and all(scheduler.is_idle(core) and scheduler.previous(core) is None for core in slaves)
            and not self._boards.user_call_pending()
        )

    @property
    def outside_the_image(self) -> tuple[int, ...]:
        """The tids of user threads that no migration would take along whole.

        They sleep where none would find them (H24), or the kernel keeps handlers, alarms, signals or tasks for them
        that stay behind (H28).
        """
        inside = [thread for slot in range(self._uarea.slots) for thread in self._uarea.joincond(slot)]
        for board in self._boards:
            inside += [*board.waiting_for_answer, *board.waiting_for_turn]
        kept = self.kept()
        return tuple(
            thread.tid
            for thread in self._uarea.threads()
            if (thread.state == ThreadState.SLEEPING and thread not in inside)
            or (kept and thread.state not in GONE)
        )

    def _hold(self, core: int, arguments: tuple[int, ...]) -> int:
        self._only_the_system(core)
        return int(self.hold())

    def _release(self, core: int, arguments: tuple[int, ...]) -> int:
        self._only_the_system(core)
        self.release()
        return 0

    def _only_the_system(self, core: int) -> None:
        if core != MASTER_CORE:
            raise Refused(Errno.EPERM, "a user thread cannot hold the cluster: it could not release it")

    def _reschedule(self) -> None:
        for core in range(1, self._scheduler.cores):
            self._scheduler.send(core, Event.SCHED)
