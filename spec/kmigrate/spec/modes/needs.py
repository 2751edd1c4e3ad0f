"""Which mechanisms each mode needs: with these all properties hold, without any one of them some property fails.

A table for whoever builds one mode and not all; a test decides it with one loss and one stopped node.

Source: ours.
"""

from collections.abc import Mapping

from kmigrate.spec.vocabulary import Mechanism, Mode

_ALL_MODES = frozenset({Mechanism.ERASE_SOURCE, Mechanism.RESEND, Mechanism.GIVE_UP})
_ROUNDS = frozenset({Mechanism.WRITE_PROTECT, Mechanism.ROUND_LIMIT})
_VERIFIED = frozenset({Mechanism.VERIFY_BEFORE_SWITCH})
_PAGES_FOLLOW = frozenset(
    {
        Mechanism.BACKGROUND_PUSH,
        Mechanism.FAULT_ON_MISSING,
        Mechanism.IGNORE_LATE_PUSH,
        Mechanism.KEEP_UNTIL_ARRIVED,
        Mechanism.NO_RETURN,
    }
)

NEEDS: Mapping[Mode, frozenset[Mechanism]] = {
    Mode.COLD: _ALL_MODES | _VERIFIED,
    Mode.STOP_AND_COPY: _ALL_MODES | _VERIFIED,
    Mode.PRE_COPY: _ALL_MODES | _VERIFIED | _ROUNDS | {Mechanism.RECOPY_DIRTY},
    Mode.POST_COPY: _ALL_MODES | _PAGES_FOLLOW,
    Mode.HYBRID: _ALL_MODES | _VERIFIED | _ROUNDS | _PAGES_FOLLOW | {Mechanism.DISCARD_STALE},
}
"""Mode → the mechanisms it needs. Post-copy has nothing to verify before its switch but its minimal state."""
