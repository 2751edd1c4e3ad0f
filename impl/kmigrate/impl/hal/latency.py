"""How long things take, in cycles of 400 MHz: all times of this first form in one place.

Source: nanvix-facts 1 (about 8 MB/s end to end, 400 MHz) for the piece; the others are assumed.
"""

CLOCK_HZ = 400_000_000
"""Cycles in a second (nanvix-facts 1)."""

PIECE_CYCLES = 205_600
"""From the sender's awrite until a piece has landed: 4,112 B at 8 MB/s (nanvix-facts 1)."""

MESSAGE_CYCLES = 2_000
"""From a mailbox write until the message stands in its slot (assumed)."""

ACKNOWLEDGE_CYCLES = 1_000
"""From the emptying of a slot until the sender's next message to it may leave (assumed)."""

PERMISSION_CYCLES = 1_000
"""From allow until the permission has reached the sender (assumed)."""

DISPATCH_CYCLES = 500
"""From the moment a daemon has something to do until it does it (assumed)."""

BARRIER_CYCLES = 10_000
"""From the start of a freeze until every slave core has left user code (assumed)."""

TIMEOUT_CYCLES = CLOCK_HZ
"""A side of an attempt that waits this long, one second, looks after it (assumed)."""
