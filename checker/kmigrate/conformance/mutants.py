"""The mutants of the machine: what is changed in daemons and kernel to see whether campaigns notice."""

from __future__ import annotations

from kmigrate.conformance.mutation import Mutant

_SOURCE = "impl.daemon.source:SourceSide."
_THERE = "impl.daemon.destination:DestinationSide."
_NAMES = "impl.system.services:"
_RESIDENCE = "impl.daemon.residence:Residence."
_SCHEDULER = "impl.kernel.scheduler:Scheduler."
_CALLS = "impl.kernel.calls:Calls."
_FREEZING = "impl.kernel.freeze:Freezing."

MACHINE: tuple[Mutant, ...] = tuple(
    Mutant(name, point, old, new, why)
    for name, point, old, new, why in (
        ("epoch-not-raised", _SOURCE + "request", ", 0)) + 1\n", ", 0))\n", "the owner gives the same epoch twice"),
        (
            "epoch-not-kept",
            _SOURCE + "request",
            "station.seen[resident.container] = epoch",
            "pass",
            "the owner forgets which epoch it gave",
        ),
        (
            "cancel-after-commit",
            _SOURCE + "_give_up_or_ask",
            "if record.before_commit:",
            "if True:",
            "gives up alone after COM",
        ),
        (
            "inst-early",
            _SOURCE + "heed",
            "Kind.INST if record.phase is SourcePhase.FROZEN",
            "Kind.INST if record.open",
            "commits before the image is taken, and again after",
        ),
        ("cno-commits", _SOURCE + "heed", '"rolled_back")', '"move_completed")', "CNO is told as CYES"),
        (
            "cyes-early",
            _SOURCE + "_complete",
            "station.resident = None",
            "pass",
            "the process is still said to stand where it was",
        ),
        (
            "copy-kept",
            _SOURCE + "_complete",
            "station.residence.clear(manifest.kernel_pages_held, frames)",
            "pass",
            "the copy at the source is not scrubbed",
        ),
        (
            "source-stays-held",
            _SOURCE + "_close",
            "station.kernel.freezing.release()",
            "pass",
            "the source is held for ever",
        ),
        (
            "barrier-unheld",
            _SOURCE + "_pass_barrier",
            "station.kernel.freezing.hold()",
            "pass",
            "nobody holds the threads",
        ),
        (
            "barrier-unasked",
            _SOURCE + "_pass_barrier",
            "if not station.residence.quiet:",
            "if False:",
            "takes the image while threads run",
        ),
        (
            "verdict-yes-unsent",
            _SOURCE + "_complete",
            "Letter(Kind.YES, record.attempt)",
            "Letter(Kind.NO, record.attempt)",
            "says NO after a commit",
        ),
        (
            "freeze-untold",
            _SOURCE + "_heed_want",
            "record.phase = SourcePhase.FREEZING",
            "pass",
            "the phase does not follow",
        ),
        (
            "commit-phase",
            _SOURCE + "heed",
            "record.phase = SourcePhase.COMMITTING",
            "pass",
            "COM is sent, and the source may still give up",
        ),
        (
            "grants-stale",
            _THERE + "_why_not",
            "if attempt.epoch <= station.seen.get(attempt.container, 0):",
            "if False:",
            "an old request is taken for a new one",
        ),
        (
            "refuses-own",
            _THERE + "heed",
            "self.current is not None and self.current.attempt == letter.attempt",
            "False",
            "a granted request that comes again is refused",
        ),
        (
            "refusal-forgotten",
            _THERE + "heed",
            "self._remember(letter.attempt)",
            "pass",
            "a refused request that comes again is granted",
        ),
        (
            "grant-unheld",
            _THERE + "_grant",
            "station.kernel.freezing.hold()",
            "pass",
            "the destination is not held while it stages",
        ),
        (
            "grant-unseen",
            _THERE + "_grant",
            "station.seen[attempt.container] = attempt.epoch",
            "pass",
            "the destination forgets which epoch it granted",
        ),
        (
            "install-twice",
            _THERE + "_install",
            "record.phase = DestinationPhase.INSTALLED",
            "pass",
            "what is installed is still being staged",
        ),
        (
            "install-nothing",
            _THERE + "_install",
            "station.residence.fill(record.image, record.apart)",
            "pass",
            "says installed, and puts nothing in",
        ),
        (
            "abandons-installed",
            _THERE + "look",
            "if record.phase is DestinationPhase.STAGING:",
            "if True:",
            "gives up alone after INSTALLED",
        ),
        (
            "abandon-says-installed",
            _THERE + "_abandon",
            "Letter(Kind.NACK, record.attempt, reason=reason)",
            "Letter(Kind.INST, record.attempt)",
            "who gives up says that all is here",
        ),
        (
            "clear-keeps",
            _THERE + "_clear",
            "self._station.residence.clear(record.kernel_pages, record.frames)",
            "pass",
            "reserved room is never given back",
        ),
        (
            "destination-stays-held",
            _THERE + "_close",
            "station.kernel.freezing.release()",
            "pass",
            "what has arrived never runs",
        ),
        (
            "resident-unknown",
            _THERE + "_run",
            "self._station.resident = Resident(",
            "(lambda *facts: None)(",
            "the daemon does not know what runs here",
        ),
        ("answers-no", _NAMES + "answer", "Kind.YES if committed else Kind.NO", "Kind.NO", "FEND is always denied"),
        (
            "answers-yes",
            _NAMES + "answer",
            "Kind.CYES if after.owner != attempt.source else Kind.CNO",
            "Kind.CYES",
            "COM is always granted",
        ),
        (
            "no-fence",
            _NAMES + "answer",
            "after = Record(record.owner, attempt.epoch) if can else record",
            "after = record",
            "the destination's question does not fence",
        ),
        (
            "epoch-unchecked",
            _NAMES + "answer",
            "record.owner == attempt.source and record.epoch < attempt.epoch",
            "record.owner == attempt.source",
            "an attempt that was ruled out may commit",
        ),
        (
            "owner-unmoved",
            _NAMES + "answer",
            "attempt.destination if commits else record.owner",
            "record.owner",
            "a commit does not change the owner",
        ),
        (
            "scrub-keeps-threads",
            _RESIDENCE + "clear",
            'memory.fill(placement.field("nthreads"), placement.uarea_bytes)',
            "pass",
            "threads are left behind",
        ),
        (
            "scrub-keeps-sections",
            _RESIDENCE + "clear",
            "memory.fill(placement.sections, geometry.user_bytes)",
            "pass",
            "code and data are left behind",
        ),
        (
            "scrub-keeps-frames",
            _RESIDENCE + "give_back",
            "kernel.frames.free(kernel.frames.number_of(frame))",
            "pass",
            "frames are left taken",
        ),
        (
            "held-ignored",
            _SCHEDULER + "_next",
            "if core == MASTER_CORE or not self.frozen:",
            "if True:",
            "a held core takes the next thread",
        ),
        (
            "woken-unqueued",
            _SCHEDULER + "enqueue",
            "self._uarea.ready.append(thread)",
            "pass",
            "a woken thread stands in no queue",
        ),
        (
            "prologue-forgets",
            _SCHEDULER + "prolog",
            "self.enqueue(previous)",
            "pass",
            "a thread that left its core is never queued",
        ),
        (
            "sleeper-ready",
            _SCHEDULER + "sleep",
            "thread.state = ThreadState.SLEEPING",
            "pass",
            "a thread sleeps in a place and is not said to sleep",
        ),
        (
            "posts-while-held",
            _CALLS + "_remote",
            "if self._scheduler.held and core != MASTER_CORE:",
            "if False:",
            "calls are posted while the cluster is held",
        ),
        (
            "served-again",
            _CALLS + "serve",
            "board.pending = 0",
            "pass",
            "a call that was served stays pending",
        ),
        (
            "unanswered",
            _CALLS + "serve",
            "self._scheduler.wake_one(board.waiting_for_answer)",
            "pass",
            "whoever sleeps on its call sleeps for ever",
        ),
        (
            "boards-unasked",
            _RESIDENCE + "quiet",
            "self._kernel.freezing.at_rest and not self._system_threads()",
            "all(self._kernel.scheduler.is_idle(core) and self._kernel.scheduler.previous(core) is None "
            "for core in range(1, self._kernel.scheduler.cores))",
            "an image is taken with a call pending, and the master ready to serve it",
        ),
        (
            "release-forgets",
            _FREEZING + "release",
            "self._scheduler.held = False",
            "pass",
            "a release does not release",
        ),
        (
            "hold-uninterrupted",
            _FREEZING + "hold",
            "self._reschedule()",
            "pass",
            "held cores are not told, and run on",
        ),
    )
)
"""Wrong machines: all must be found."""
