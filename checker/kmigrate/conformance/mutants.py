"""The mutants of the machine: what is changed in daemons, HAL and services to see whether campaigns notice."""

from __future__ import annotations

from kmigrate.conformance.mutation import Mutant

_SOURCE = "impl.migration.source:SourceSide."
_THERE = "impl.migration.destination:DestinationSide."
_STATION = "impl.migration.station:"
_DAEMON = "impl.migration.hardened:HardenedDaemon."
_NAMES = "impl.services.names:NameService."
_MAILBOX = "impl.hal.mailbox:Mailbox."
_PORTAL = "impl.hal.portal:Portal."

_SOURCES = (
    ("epoch-not-raised", "request", "+ 1\n", "\n", "the owner gives the same epoch twice"),
    ("epoch-not-kept", "request", "station.seen[process] = epoch", "pass", "the owner forgets which epoch it gave"),
    ("request-while-frozen", "request", "elif station.container.frozen:", "elif False:", "a frozen process asks"),
    (
        "two-attempts",
        "request",
        "elif self.current is not None:",
        "elif False:",
        "a second attempt while one is open",
    ),
    (
        "request-unsent",
        "request",
        "station.send(node_of(destination), Notice(Message.REQ, attempt))",
        "pass",
        "no REQ",
    ),
    ("cancel-after-commit", "_give_up_or_ask", "if record.before_commit:", "if True:", "gives up alone after COM"),
    ("fens-unsent", "_give_up_or_ask", "station.send(NAME_NODE, question)", "pass", "says it asked, and did not"),
    ("barrier-unfrozen", "_pass_barrier", "station.container.frozen = True", "pass", "sends while threads run"),
    ("barrier-silent", "_pass_barrier", "self._start_section(record, 0)", "pass", "section 0 never leaves"),
    (
        "inst-early",
        "heed",
        "Message.INST if record.phase is SourcePhase.FROZEN",
        "Message.INST if record.open",
        "no gate",
    ),
    ("com-unsent", "heed", "station.send(NAME_NODE, Notice(Message.COM, record.attempt))", "pass", "no COM"),
    (
        "cno-commits",
        "heed",
        'self._give_up(record)\n            return station.happened("rolled_back"',
        'self._complete(record)\n            return station.happened("rolled_back"',
        "CNO is taken for CYES",
    ),
    (
        "copy-kept",
        "_complete",
        "if Defect.THAW_AFTER_COMMIT not in",
        "if Defect.THAW_AFTER_COMMIT in",
        "no discard",
    ),
    ("source-stays-frozen", "_complete", "self._station.container.frozen = False", "pass", "never thaws"),
    (
        "give-up-frozen",
        "_give_up",
        "self._station.container.frozen = False",
        "pass",
        "a cancelled source stays frozen",
    ),
    ("give-up-says-yes", "_give_up", "Message.NO", "Message.YES", "a source that keeps its process says YES"),
    ("attempt-stays-open", "_close", "record.phase = SourcePhase.CLOSED", "pass", "the record is never closed"),
    (
        "verdict-unsent",
        "_close",
        "station.send(node_of(record.attempt.destination), Notice(verdict, record.attempt))",
        "pass",
        "the destination is not told",
    ),
    (
        "permissions-kept",
        "_close",
        "self._return_permissions(record.attempt.destination)",
        "pass",
        "portals stay open",
    ),
    ("section-skipped", "_start_section", "DATA_STATES[section]", "DATA_STATES[section - 1]", "the section before"),
)

_DESTINATIONS = (
    ("stale-granted", "admit", "if attempt.epoch <= highest:", "if False:", "a stale request is granted"),
    ("reserved-granted", "admit", "elif self.current is not None:", "elif False:", "two attempts share the room"),
    ("occupied-granted", "admit", "elif not station.container.vacant:", "elif False:", "stages over a process"),
    (
        "epoch-unseen",
        "admit",
        "station.seen[attempt.process] = max(highest, attempt.epoch)",
        "pass",
        "forgets epochs",
    ),
    ("granted-unfrozen", "admit", "station.container.frozen = True", "pass", "stages while threads may run"),
    (
        "nack-unsent",
        "admit",
        "station.send(node_of(attempt.source), Notice(Message.NACK, attempt, reason))",
        "pass",
        "refuses without a word",
    ),
    ("want-the-first-again", "_answer_again", "record.staged)", "0)", "asks for section 0 again"),
    (
        "installed-gives-up",
        "_time_out",
        "if record.phase is DestinationPhase.STAGING:",
        "if True:",
        "decides alone",
    ),
    ("fend-unsent", "_time_out", "station.send(NAME_NODE, question)", "pass", "says it asked, and did not"),
    ("other-attempts-piece", "take_piece", "and frame.attempt == record.attempt ", "", "stages another's piece"),
    ("piece-to-another-place", "_stage", "write_piece(address, ", "write_piece(address + 4, ", "four bytes off"),
    ("first-piece-only", "_stage", "if not last:", "if False:", "one piece counts for the whole section"),
    ("passed-unnoted", "_stage", "record.passed = section + 1", "pass", "a staged section counts as on its way"),
    (
        "installed-early",
        "_stage",
        "if section + 1 < len(DATA_STATES):",
        "if section + 2 < len(DATA_STATES):",
        "8 of 9",
    ),
    (
        "inst-unsent",
        "_stage",
        "station.send(node_of(attempt.source), Notice(Message.INST, attempt))",
        "pass",
        "no INST",
    ),
    ("copy-not-cleared", "heed", "station.container.erase()", "pass", "NO leaves the copy where it is"),
    ("abandoned-copy-kept", "_abandon", "station.container.erase()", "pass", "a timeout leaves half a copy"),
    ("destination-stays-frozen", "_close", "self._station.container.frozen = False", "pass", "never thaws"),
    ("room-stays-reserved", "_close", "self.current = None", "pass", "the room is never free again"),
)

_OTHERS = (
    (_DAEMON, "crash-remembers", "crash", "self.source.stop()", "pass", "the dead source goes on"),
    (
        _DAEMON,
        "no-for-nack",
        "_serve",
        "case Message.YES | Message.NO:",
        "case Message.YES:",
        "NO is not understood",
    ),
    (
        _STATION,
        "letters-dropped",
        "Inbox.add",
        "if arrival not in self._arrivals:",
        "if not self._arrivals:",
        "one only",
    ),
    (_STATION, "inbox-stops", "Inbox._run", "self._schedule()", "pass", "serves one arrival and sleeps"),
    (
        _NAMES,
        "commit-unrecorded",
        "_answer_commit",
        "self.owner[attempt.process] = attempt.destination",
        "pass",
        "no owner",
    ),
    (
        _NAMES,
        "epoch-unrecorded",
        "_answer_commit",
        "self.recorded[attempt.process] = attempt.epoch",
        "pass",
        "no epoch",
    ),
    (
        _NAMES,
        "commit-unchecked",
        "_answer_commit",
        "if self._can(attempt):",
        "if True:",
        "commits what is ruled out",
    ),
    (
        _NAMES,
        "source-not-fenced",
        "_answer_source",
        "self.recorded[attempt.process] = attempt.epoch",
        "pass",
        "no fence",
    ),
    (
        _NAMES,
        "destination-not-fenced",
        "_answer_destination",
        "self.recorded[process] = attempt.epoch",
        "pass",
        "no fence",
    ),
    (_NAMES, "always-cyes", "_tell_source", "Message.CNO if", "Message.CYES if", "the answer is always yes"),
    (_MAILBOX, "message-kept", "take", "queue.pop(0)", "queue[0]", "a message is taken and stays"),
    (_MAILBOX, "queue-stuck", "take", "if queue:", "if False:", "what waits behind a message never leaves"),
    (
        _PORTAL,
        "permission-not-used",
        "send",
        "self.permissions -= 1",
        "self.permissions -= bool(self.pieces_on_wire)",
        "a permission lets two pieces go",
    ),
    (_PORTAL, "landing-kept", "take", "self.allowed = False", "pass", "no second permission is ever given"),
    (
        _PORTAL,
        "permission-lost",
        "_permit",
        "self.permissions += self._pieces_per_permission",
        "pass",
        "none arrives",
    ),
)

MACHINE: tuple[Mutant, ...] = (
    *(Mutant(name, _SOURCE + at, old, new, why) for name, at, old, new, why in _SOURCES),
    *(Mutant(name, _THERE + at, old, new, why) for name, at, old, new, why in _DESTINATIONS),
    *(Mutant(name, place + at, old, new, why) for place, name, at, old, new, why in _OTHERS),
)
"""Wrong machines: a campaign must find each."""
