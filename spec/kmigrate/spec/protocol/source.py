"""The source's side of the hardened protocol: ask, freeze, send, commit, or give up.

Before COM the source may give up at any moment; after it, it heeds the name service alone.

Source: ours; thesis 4.5.1.2 (freeze, then transfer) and 4.5.1.3 (kmigrate_to).
"""

from kmigrate.spec.language import action, exists, require, weakly_fair
from kmigrate.spec.protocol.attempt import Attempt, Attempts
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Foreign, Process, ProcessId, Section
from kmigrate.spec.vocabulary import Mechanism, Message, SourcePhase


class SourceSide(Attempts):
    """What the daemon does for the attempts of which its cluster is the source."""

    def guard_opening(self, source: ClusterId, destination: ClusterId, attempt: int) -> None:
        """The guards that every request has to pass, whoever makes it."""
        require(source != destination)
        require(attempt == self.requested)
        require(self.may_ask(source, destination))
        require(
            not self.has(Mechanism.ONE_REQUEST)
            or not exists(Attempt, lambda a: self.source[a] == source and self.open_at_source(a))
        )

    def ask(self, process: ProcessId, source: ClusterId, destination: ClusterId, attempt: int) -> None:
        """The source gives the next epoch and asks the destination. Nothing is frozen yet."""
        self.requested = self.requested + 1
        self.strike_out(source, destination)
        self.process[attempt] = process
        self.source[attempt] = source
        self.destination[attempt] = destination
        self.seen[source, process] = self.seen[source, process] + 1
        self.epoch[attempt] = self.seen[source, process]
        self.at_source[attempt] = SourcePhase.ASKING
        self.sent[Message.REQ, attempt] = True

    @action(process=Process, source=Cluster, destination=Cluster, attempt=Attempt)
    def request(self, process: ProcessId, source: ClusterId, destination: ClusterId, attempt: int) -> None:
        """kmigrate_to: a process asks to be moved by the cluster on which it runs."""
        self.guard_opening(source, destination, attempt)
        require(self.runs(source, process))
        self.ask(process, source, destination, attempt)

    @action(k=Foreign, process=Process, source=Cluster, destination=Cluster, attempt=Attempt)
    def request_for_another(
        self, k: int, process: ProcessId, source: ClusterId, destination: ClusterId, attempt: int
    ) -> None:
        """A third party asks a cluster to move a process: it does so if the process runs there (authority)."""
        require(self.next_foreign(k))
        self.guard_opening(source, destination, attempt)
        require(not self.crashed[source] and self.answers(source))
        require(not self.has(Mechanism.AUTHORITY) or self.runs(source, process))
        self.meddled[k] = True
        self.ask(process, source, destination, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def start_freeze(self, attempt: int) -> None:
        """WANT 0 while ASKING: close the gate for system calls and freeze."""
        require(self.at_source[attempt] == SourcePhase.ASKING)
        require(self.want[attempt, 0])
        self.take_want(attempt, 0)
        self.at_source[attempt] = SourcePhase.FREEZING

    @weakly_fair
    @action(attempt=Attempt)
    def pass_barrier(self, attempt: int) -> None:
        """Every slave core has left user code, all boards are drained: the first section leaves."""
        require(self.at_source[attempt] == SourcePhase.FREEZING)
        self.at_source[attempt] = SourcePhase.FROZEN
        self.frozen[self.source[attempt]] = True
        self.send_image(attempt, 0)

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def send_section(self, attempt: int, section: int) -> None:
        """WANT i while FROZEN: SECT i."""
        require(self.at_source[attempt] == SourcePhase.FROZEN)
        require(self.want[attempt, section])
        self.take_want(attempt, section)
        self.send_image(attempt, section)

    def give_up(self, attempt: int) -> None:
        """The source closes the attempt, thaws and says NO."""
        self.thaw(self.source[attempt])
        self.close_source(attempt, Message.NO)

    @weakly_fair
    @action(attempt=Attempt)
    def cancel(self, attempt: int) -> None:
        """A timeout or a cancel at the source, before COM."""
        require(self.has(Mechanism.SOURCE_TIMEOUT))
        require(
            self.before_commit(attempt)
            or (self.at_source[attempt] == SourcePhase.COMMITTING and not self.has(Mechanism.SOURCE_WAITS))
        )
        self.give_up(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def heed_nack(self, attempt: int) -> None:
        """NACK at the source, before COM."""
        require(self.sent[Message.NACK, attempt])
        require(
            self.before_commit(attempt)
            or (self.at_source[attempt] == SourcePhase.COMMITTING and not self.has(Mechanism.NACK_GATE))
        )
        self.take(Message.NACK, attempt)
        self.give_up(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def commit(self, attempt: int) -> None:
        """INST while FROZEN: ask the name service to make the destination the owner."""
        require(self.at_source[attempt] == SourcePhase.FROZEN)
        require(self.sent[Message.INST, attempt])
        self.take(Message.INST, attempt)
        self.at_source[attempt] = SourcePhase.COMMITTING
        self.sent[Message.COM, attempt] = True
        if not self.has(Mechanism.DISCARD_AFTER_ANSWER):
            self.clear(self.source[attempt])

    @weakly_fair
    @action(attempt=Attempt)
    def answer_stale(self, attempt: int) -> None:
        """Without silence: a stale INST is taken for an attempt that came to nothing, and answered with NO."""
        require(not self.has(Mechanism.SILENCE))
        require(self.at_source[attempt] == SourcePhase.CLOSED)
        require(self.sent[Message.INST, attempt])
        self.take(Message.INST, attempt)
        self.sent[Message.NO, attempt] = True
        self.forget_if_closed(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def ask_from_source(self, attempt: int) -> None:
        """A cancel or timeout while COMMITTING is a question that also fences: FENS."""
        require(self.has(Mechanism.SOURCE_QUESTION))
        require(self.at_source[attempt] == SourcePhase.COMMITTING)
        require(not self.sent[Message.FENS, attempt])
        self.sent[Message.FENS, attempt] = True

    @weakly_fair
    @action(attempt=Attempt)
    def complete_move(self, attempt: int) -> None:
        """CYES while COMMITTING: discard the copy, be free, tell the destination YES."""
        require(self.at_source[attempt] == SourcePhase.COMMITTING)
        require(self.sent[Message.CYES, attempt])
        self.take(Message.CYES, attempt)
        self.clear(self.source[attempt])
        self.thaw(self.source[attempt])
        self.close_source(attempt, Message.YES)

    @weakly_fair
    @action(attempt=Attempt)
    def roll_back(self, attempt: int) -> None:
        """CNO while COMMITTING: thaw, tell the destination NO."""
        require(self.at_source[attempt] == SourcePhase.COMMITTING)
        require(self.sent[Message.CNO, attempt])
        self.take(Message.CNO, attempt)
        self.give_up(attempt)
