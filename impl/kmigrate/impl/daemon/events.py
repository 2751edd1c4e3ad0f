"""What a daemon tells of its doings to whoever writes the trace; no daemon acts on it.

The names are those of the first daemons' events: each visible one is one action of a protocol model. Where the
models say section, the piece or the index is told too.

Source: ours.
"""

from collections.abc import Callable, Mapping

Tell = Callable[[str, Mapping[str, int | str]], None]
"""Is given the name of an event and its facts."""


def silent(name: str, facts: Mapping[str, int | str]) -> None:
    """Tell nobody."""
