"""The words that the specification and the implementation share.

Names of states, messages and mechanisms, and nothing else: no model, no solver. Importing the
reference library imports this module and does not start z3.

Source: thesis 4.5.1 and figure 13; nanvix-facts sections 7.1, 7.5, 7.6; the hardened names are ours.
"""

from enum import Enum


class Mstate(Enum):
    """The ten states of a transfer, in the order in which both daemons walk them (thesis 4.5.1.2, task 4)."""

    SECTIONS = "sections"
    UAREA = "uarea"
    SYSBOARD = "sysboard"
    PAGEDIR = "pagedir"
    PAGETAB = "pagetab"
    KSTACKSIDS = "kstacksids"
    KSTACKSPHYS = "kstacksphys"
    FRAMES_BITMAP = "frames_bitmap"
    FRAMES_PHYS = "frames_phys"
    FINISH = "finish"


DATA_STATES: tuple[Mstate, ...] = tuple(state for state in Mstate if state is not Mstate.FINISH)
"""The nine states that move data; FINISH moves none."""


class Opcode(Enum):
    """The two opcodes of the published request message (nanvix-facts 7.1)."""

    MIGRATE_TO = "TO"
    """The addressee sends."""
    MIGRATE_FROM = "FROM"
    """The addressee receives."""


class Role(Enum):
    """What a published daemon is doing."""

    IDLE = "idle"
    SENDING = "sending"
    RECEIVING = "receiving"


class Call(Enum):
    """How far the published `migrate_to` task of one cluster has come (nanvix-facts 7.4)."""

    IDLE = "idle"
    TELL_RECEIVER = "tell-receiver"
    TELL_SELF = "tell-self"
    DISCONNECTED = "disconnected"
    """A control reset has closed the mailboxes that the task was about to use (H7)."""
    STOPPED = "stopped"
    """The flow has ended in state ERROR: nothing dispatches it again."""


class Portal(Enum):
    """One direction of a portal between two clusters: one permission, one piece (nanvix-facts 2.4)."""

    SHUT = "shut"
    ALLOWED = "allowed"
    FULL = "full"


class SourcePhase(Enum):
    """Where an attempt of the hardened protocol stands at its source."""

    NONE = "none"
    ASKING = "asking"
    FREEZING = "freezing"
    FROZEN = "frozen"
    COMMITTING = "committing"
    CLOSED = "closed"


class DestinationPhase(Enum):
    """Where an attempt of the hardened protocol stands at its destination."""

    NONE = "none"
    STAGING = "staging"
    INSTALLED = "installed"
    CLOSED = "closed"


class Message(Enum):
    """The messages of the hardened protocol that carry nothing but their attempt.

    WANT i and SECT i, which carry a section index as well, are kept apart.
    """

    REQ = "REQ"
    """source → destination: may this process come?"""
    NACK = "NACK"
    """destination → source: no, with the reason."""
    INST = "INST"
    """destination → source: all sections are staged and verified."""
    YES = "YES"
    """to the destination: committed, run."""
    NO = "NO"
    """to the destination: not committed, clear."""
    COM = "COM"
    """source → name service: make the destination the owner."""
    FENS = "FENS"
    """source → name service: is it committed? If not, it never will be."""
    FEND = "FEND"
    """destination → name service: the same question."""
    CYES = "CYES"
    """name service → source: committed."""
    CNO = "CNO"
    """name service → source: not committed."""


class Mechanism(Enum):
    """What can be switched off alone in the hardened protocol, or added to the published one.

    The value is the name on the command line.
    """

    ADMISSION = "admission"
    """A destination that holds a process refuses."""
    RESERVATION = "reservation"
    """A destination sets the room that it grants aside, and refuses a second request."""
    STALE_REFUSAL = "stale-refusal"
    """A request that is not newer than all seen of its process is refused."""
    SOURCE_WAITS = "source-waits"
    """After COM the source awaits the name service's answer and never gives up alone."""
    DESTINATION_WAITS = "destination-waits"
    """After INSTALLED the destination awaits an answer and never clears alone."""
    DISCARD_AFTER_ANSWER = "discard-after-answer"
    """The source discards its copy on the answer CYES, not when it sends COM."""
    RUN_AFTER_ANSWER = "run-after-answer"
    """The destination runs its copy on YES, not when the copy is complete."""
    FENCING = "fencing"
    """The destination's question FEND also rules out a later commit."""
    EPOCH_CHECK = "epoch-check"
    """The name service compares the epoch of an attempt, not the owner alone."""
    COMMIT_MEMORY = "commit-memory"
    """A repeated COM of an attempt that has been committed is answered CYES, not CNO."""
    LEFT_MEANS_COMMITTED = "left-means-committed"
    """The name service answers CYES wherever the process has left the source, whatever happened to it since."""
    NACK_GATE = "nack-gate"
    """A NACK is not heeded while COMMITTING."""
    SILENCE = "silence"
    """A stale INST is dropped, not answered with NO."""
    SOURCE_QUESTION = "source-question"
    """A source that waits in COMMITTING may ask the name service."""
    SOURCE_TIMEOUT = "source-timeout"
    """A source that has not sent COM may give up at any moment."""
    DESTINATION_TIMEOUT = "destination-timeout"
    """A destination that is still staging may give up at any moment."""
    DESTINATION_QUESTION = "destination-question"
    """A destination that waits in INSTALLED may ask the name service."""
    ERASE_SOURCE = "erase-source"
    """Published only: the sender's finish erases its copy and does not thaw."""
    FREEZE_SENDER = "freeze-sender"
    """Published only: the handler of TO freezes, as the handler of FROM does."""
    # freezing a cluster and taking its image (L2, freeze); admission and freeze-sender as above
    FREEZE_BARRIER = "freeze-barrier"
    """The image is taken when every slave core has left user code and every prologue is done."""
    DRAIN_BOARDS = "drain-boards"
    """The image is taken when every posted call has been served."""
    SAFE_POINTS = "safe-points"
    """A thread that holds a lock of the runtime is not stopped before it gives it back."""
    REFUSE_WAITERS = "refuse-waiters"
    """A process with a thread asleep outside its image stays, with the reason."""
    CALLER_WAITS = "caller-waits"
    """The caller of kmigrate_to sleeps inside the image until the move ends; nothing of the call is ahead of it."""
    FLAG_IN_KERNEL = "flag-in-kernel"
    """The freezing flag belongs to the cluster's kernel and is no part of the image."""


PUBLISHED_MECHANISMS: frozenset[Mechanism] = frozenset({Mechanism.ERASE_SOURCE, Mechanism.FREEZE_SENDER})
"""Those that can be added to the published protocol; it has none of them by itself."""

HARDENED_MECHANISMS: frozenset[Mechanism] = frozenset(
    {
        Mechanism.ADMISSION,
        Mechanism.RESERVATION,
        Mechanism.STALE_REFUSAL,
        Mechanism.SOURCE_WAITS,
        Mechanism.DESTINATION_WAITS,
        Mechanism.DISCARD_AFTER_ANSWER,
        Mechanism.RUN_AFTER_ANSWER,
        Mechanism.FENCING,
        Mechanism.EPOCH_CHECK,
        Mechanism.COMMIT_MEMORY,
        Mechanism.LEFT_MEANS_COMMITTED,
        Mechanism.NACK_GATE,
        Mechanism.SILENCE,
        Mechanism.SOURCE_QUESTION,
        Mechanism.SOURCE_TIMEOUT,
        Mechanism.DESTINATION_TIMEOUT,
        Mechanism.DESTINATION_QUESTION,
    }
)
"""Those of the hardened protocol (L1), all on unless one is switched off."""

FREEZE_MECHANISMS: frozenset[Mechanism] = frozenset(
    {
        Mechanism.ADMISSION,
        Mechanism.FREEZE_SENDER,
        Mechanism.FREEZE_BARRIER,
        Mechanism.DRAIN_BOARDS,
        Mechanism.SAFE_POINTS,
        Mechanism.REFUSE_WAITERS,
        Mechanism.CALLER_WAITS,
        Mechanism.FLAG_IN_KERNEL,
    }
)
"""Those of freezing a cluster and taking its image (L2, `freeze`)."""
