"""The name service: who owns a process, and which attempts can still commit. It runs on a kernel of its own.

Source: hardened coordination (ours). It does not stop (assumed).
"""

from kmigrate.impl.daemon.attempt import Attempt
from kmigrate.impl.daemon.courier import Courier
from kmigrate.impl.daemon.events import Tell, silent
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.kernel.kernel import Kernel


class NameService:
    """One record per process, by its container.

    owner     node that owns it
    recorded  the highest epoch that has committed or was ruled out; 0 at first
    tell      is told what is answered
    Raises    NoNetwork, NoRoom
    """

    def __init__(self, kernel: Kernel, tell: Tell = silent) -> None:
        self._tell = tell
        self.owner: dict[int, int] = {}
        self.recorded: dict[int, int] = {}
        self._courier = Courier(kernel, Statics(kernel.placement), self._heed)

    def start(self) -> None:
        """Listen from the dispatcher's next task on."""
        self._courier.start()

    def register(self, container: int, node: int) -> None:
        """A process has begun on a node."""
        self.owner[container] = node
        self.recorded[container] = 0

    def _heed(self, letter: Letter) -> None:
        """Answer a question about a process that is known; anything else is dropped."""
        attempt = letter.attempt
        if attempt.container not in self.owner:
            return
        can = self._can(attempt)
        match letter.kind:
            case Kind.COM | Kind.FENS:
                if can and letter.kind is Kind.COM:
                    self.owner[attempt.container] = attempt.destination
                if can:
                    self.recorded[attempt.container] = attempt.epoch
                left = self.owner[attempt.container] != attempt.source
                event = "commit_recorded" if letter.kind is Kind.COM else "source_answered"
                self._answer(attempt.source, Letter(Kind.CYES if left else Kind.CNO, attempt), event)
            case Kind.FEND:
                if can:
                    self.recorded[attempt.container] = attempt.epoch
                committed = not can and self._is_last(attempt)
                answer = Letter(Kind.YES if committed else Kind.NO, attempt)
                self._answer(attempt.destination, answer, "destination_answered")
            case _:
                pass

    def _answer(self, node: int, letter: Letter, event: str) -> None:
        self._courier.send(node, letter)
        self._tell(event, {**letter.attempt.facts, "answer": letter.kind.name})

    def _can(self, attempt: Attempt) -> bool:
        """Whether the record still allows the attempt to commit."""
        container = attempt.container
        return self.owner[container] == attempt.source and self.recorded[container] < attempt.epoch

    def _is_last(self, attempt: Attempt) -> bool:
        """Whether the record is that of exactly this attempt's commit."""
        container = attempt.container
        return self.owner[container] == attempt.destination and self.recorded[container] == attempt.epoch
