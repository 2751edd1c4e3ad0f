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
    STOPPED = "stopped"
    """Its flow has ended in state ERROR, and nothing arms it again (nanvix-facts 9, H10)."""


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


class Mode(Enum):
    """The five ways to move a process (thesis 2.4.1; the code's own is stop-and-copy, nanvix-facts 10)."""

    COLD = "cold"
    """Stopped, saved whole in a checkpoint, and restored from it elsewhere."""
    STOP_AND_COPY = "stop-and-copy"
    """Frozen, copied whole, run elsewhere."""
    PRE_COPY = "pre-copy"
    """Copied while it runs, in rounds; frozen for what it has written since."""
    POST_COPY = "post-copy"
    """Frozen for its minimal state alone; its pages follow when it runs elsewhere."""
    HYBRID = "hybrid"
    """Rounds as in pre-copy; what was written since follows as in post-copy."""


class MovePhase(Enum):
    """How far a move of any mode has come, in QEMU's words; the last is ours."""

    SETUP = "setup"
    """Admitted: the destination has set room aside, the process runs at the source."""
    ACTIVE = "active"
    """Pages are copied or saved and the source may still go on with the process."""
    PRE_SWITCHOVER = "pre-switchover"
    """The process is frozen; what must be there before it runs elsewhere is copied."""
    POSTCOPY_ACTIVE = "postcopy-active"
    """The process runs at the destination and pages of it are still at the source."""
    COMPLETED = "completed"
    FAILED = "failed"
    """The destination has stopped; the process goes on at the source."""
    CANCELLED = "cancelled"
    """The move was called off; the process goes on at the source."""
    LOST_WITH_NODE = "lost-with-node"
    """A node has stopped and the process, or a page of it, with it: only a checkpoint can restore it."""


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
    ONE_REQUEST = "one-request"
    """A source has one attempt open at a time."""
    AUTHORITY = "authority"
    """Whoever asks for a move, only the cluster on which the process runs makes the attempt."""
    ERASE_SOURCE = "erase-source"
    """When the source is done its copy is erased, and does not run on."""
    FREEZE_SENDER = "freeze-sender"
    """Whoever asks for the move, the daemon of the source freezes its cluster."""
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
    # moving the image state by state (L2, mstate); the timeouts and drain-boards as above
    MANIFEST = "manifest"
    """The page lists are copied at the freeze and told to the destination first; both sides walk that copy."""
    FRAMING = "framing"
    """A piece says of which attempt, state, index and size it is; one that is not awaited is dropped."""
    CHECKSUM = "checksum"
    """A piece whose bytes are not those that were sent is dropped."""
    OWNED_PAGES = "owned-pages"
    """The kernel pages to move are those that the process owns, not those from a fixed number on."""
    PINNED_PAGES = "pinned-pages"
    """A page of the image that is given back in the meantime is not handed out again before the end."""
    INSTALL_ANSWER = "install-answer"
    """The sender is done when the receiver says that it has installed, not when the last piece has left."""
    # ways to move a process, page by page (L2, modes); erase-source as above
    WRITE_PROTECT = "write-protect"
    """A write to a page that has been copied while the process runs marks the page to be copied again."""
    RECOPY_DIRTY = "recopy-dirty"
    """In pre-copy, what was written since it was copied is copied again while the process is frozen."""
    ROUND_LIMIT = "round-limit"
    """When its rounds are used up a pre-copy freezes, however much is left to copy."""
    DISCARD_STALE = "discard-stale"
    """At the switch of a hybrid move, copies of pages written since are thrown away at the destination."""
    FAULT_ON_MISSING = "fault-on-missing"
    """A process that touches a page which has not arrived waits and asks for it."""
    IGNORE_LATE_PUSH = "ignore-late-push"
    """A page that is already in place under a running process is not put in place again."""
    KEEP_UNTIL_ARRIVED = "keep-until-arrived"
    """In post-copy, the source keeps a page until it has arrived, not until it was sent."""
    VERIFY_BEFORE_SWITCH = "verify-before-switch"
    """The process is switched when every page sent has arrived and been verified, not when the last was sent."""
    RESEND = "resend"
    """A page that was sent and has not arrived is sent again."""
    GIVE_UP = "give-up"
    """A move can be called off, fails when the destination stops, and a process gone with its node is declared."""
    NO_RETURN = "no-return"
    """After the switch nothing rolls back to the source."""
    BACKGROUND_PUSH = "background-push"
    """In post-copy, pages that nobody asks for are sent as well."""
    # what stands in a cluster's memory, TLBs and caches (L2, memory)
    TLB_SHOOTDOWN = "tlb-shootdown"
    """Before a process runs here, every core drops its translations of user pages."""
    ICACHE_SHOOTDOWN = "icache-shootdown"
    """Before a process runs here, every core drops its instruction lines."""
    SCRUBBING = "scrubbing"
    """A cluster clears what a process leaves behind before the next may come."""
    RUNTIME_IN_CONTAINER = "runtime-in-container"
    """The runtime's words (handlers, locks, identifiers) are part of the process's image."""
    SAME_LAYOUT = "same-layout"
    """A process from a kernel that is laid out otherwise is refused."""
    # user communication of a process that migrates (L2, channels)
    VIRTUAL_NAMES = "virtual-names"
    """A channel is named by its processes: what waits for one that moves goes after it, and so do its writers."""
    QUIESCE_FLOWS = "quiesce-flows"
    """A process is not sent before every read that it has in flight has ended or been taken back."""


PUBLISHED_MECHANISMS: frozenset[Mechanism] = frozenset(
    {Mechanism.ERASE_SOURCE, Mechanism.FREEZE_SENDER, Mechanism.ONE_REQUEST, Mechanism.AUTHORITY}
)
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
        Mechanism.ONE_REQUEST,
        Mechanism.AUTHORITY,
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

MODES_MECHANISMS: frozenset[Mechanism] = frozenset(
    {
        Mechanism.ERASE_SOURCE,
        Mechanism.WRITE_PROTECT,
        Mechanism.RECOPY_DIRTY,
        Mechanism.ROUND_LIMIT,
        Mechanism.DISCARD_STALE,
        Mechanism.FAULT_ON_MISSING,
        Mechanism.IGNORE_LATE_PUSH,
        Mechanism.KEEP_UNTIL_ARRIVED,
        Mechanism.VERIFY_BEFORE_SWITCH,
        Mechanism.RESEND,
        Mechanism.GIVE_UP,
        Mechanism.NO_RETURN,
        Mechanism.BACKGROUND_PUSH,
    }
)
"""Those of moving a process page by page (L2, `modes`)."""

MEMORY_MECHANISMS: frozenset[Mechanism] = frozenset(
    {
        Mechanism.TLB_SHOOTDOWN,
        Mechanism.ICACHE_SHOOTDOWN,
        Mechanism.SCRUBBING,
        Mechanism.RUNTIME_IN_CONTAINER,
        Mechanism.SAME_LAYOUT,
    }
)
"""Those of what stands in a cluster's memory, TLBs and caches (L2, `memory`)."""

MSTATE_MECHANISMS: frozenset[Mechanism] = frozenset(
    {
        Mechanism.SOURCE_TIMEOUT,
        Mechanism.DESTINATION_TIMEOUT,
        Mechanism.DRAIN_BOARDS,
        Mechanism.MANIFEST,
        Mechanism.FRAMING,
        Mechanism.CHECKSUM,
        Mechanism.OWNED_PAGES,
        Mechanism.PINNED_PAGES,
        Mechanism.INSTALL_ANSWER,
    }
)
"""Those of moving the image state by state (L2, `mstate`)."""

CHANNEL_MECHANISMS: frozenset[Mechanism] = frozenset({Mechanism.VIRTUAL_NAMES, Mechanism.QUIESCE_FLOWS})
"""Those of the communication of user processes that move (L2, `channels`)."""

MACHINE_MECHANISMS: frozenset[Mechanism] = HARDENED_MECHANISMS | {
    Mechanism.FREEZE_BARRIER,
    Mechanism.DRAIN_BOARDS,
}
"""Those of the composition (L3, `machine`)."""
