"""The names of the events of a run: those that are one action of the protocol, and the others.

Source: the action names are those of the two protocol models.
"""

HARDENED_EVENTS: dict[str, str] = {
    "requested": "request",
    "granted": "grant",
    "refused": "refuse",
    "freeze_started": "start_freeze",
    "barrier_passed": "pass_barrier",
    "section_sent": "send_section",
    "section_staged": "stage",
    "cancelled": "cancel",
    "nack_heeded": "heed_nack",
    "staging_abandoned": "time_out_staging",
    "commit_asked": "commit",
    "source_asked": "ask_from_source",
    "destination_asked": "ask_from_destination",
    "commit_recorded": "record_commit",
    "source_answered": "answer_source",
    "destination_answered": "answer_destination",
    "move_completed": "complete_move",
    "rolled_back": "roll_back",
    "copy_started": "start_copy",
    "copy_cleared": "clear_copy",
    "message_dropped": "drop",
    "want_dropped": "drop_want",
    "section_dropped": "drop_sect",
    "requested_for_another": "request_for_another",
    "answered_again": "answer_again",
    "crashed": "crash",
}
"""Event of the hardened protocol → the action that it is. But for `crashed` all carry process, source,
destination, epoch."""

NETWORK_EVENTS: dict[str, tuple[str, ...]] = {
    "message_lost": ("lose", "lose_want"),
    "message_damaged": ("lose", "lose_want"),
    "message_doubled": ("duplicate",),
    "copy_delivered": ("deliver_copy",),
    "piece_lost": ("lose_sect",),
    "section_repeated": ("send_section", "drop_sect"),
}
"""Events of a network with faults → the actions that they can be: which one depends on what they carry;
`section_repeated` is both of its actions, one after the other."""

PUBLISHED_EVENTS: dict[str, str] = {
    "migration_called": "kmigrate_to",
    "receiver_told": "tell_receiver",
    "self_told": "tell_self",
    "nobody_told": "tell_nobody",
    "from_taken": "take_from",
    "to_taken": "take_to",
    "section_allowed": "allow",
    "section_written": "write",
    "section_read": "read",
    "finished": "finish",
}
"""Visible event of the published protocol → the action that it is. All carry the clusters that the action names."""

HIDDEN_EVENTS: frozenset[str] = frozenset(
    {
        "request_refused",
        "worked",
        "work_refused",
        "cancel_ignored",
        "timer_ignored",
        "message_delivered",
        "message_forgotten",
        "permission_arrived",
        "piece_arrived",
        "piece_copied",
        "piece_discarded",
        "copy_held",
        "crash_ignored",
    }
)
"""Events that change nothing that a protocol model speaks of."""
