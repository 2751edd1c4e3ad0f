"""One way in which a migration fails: the model that shows it, the property it breaks, what stops it.

Nothing in the models exists for one hazard alone: parameters and a missing mechanism show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model
from kmigrate.spec.mechanisms import all_mechanisms
from kmigrate.spec.vocabulary import Mechanism


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way to fail.

    shown_in    the variant in which it is shown; `hardened` means with the mechanism switched off
    stopped_in  the variant in which it is stopped; `published` means with the mechanism added
    parameters  the smallest that show it
    wider       what else is needed for the stopped run to mean something (room to migrate into)
    """

    id: str
    title: str
    level: str
    property: str
    mechanism: Mechanism
    parameters: Mapping[str, Any] = field(default_factory=dict)
    shown_in: str = "hardened"
    stopped_in: str = "hardened"
    wider: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def without(self) -> Model:
        """The model in which the hazard should show."""
        kind = find(self.level, self.shown_in)
        extra = {} if self.shown_in == "published" else {"mechanisms": all_mechanisms(kind) - {self.mechanism}}
        return kind(**self.parameters, **extra)

    def with_mechanism(self) -> Model:
        """The model in which it should not."""
        kind = find(self.level, self.stopped_in)
        extra = {} if self.stopped_in == "hardened" else {"mechanisms": all_mechanisms(kind) | {self.mechanism}}
        return kind(**{**self.parameters, **self.wider}, **extra)


@dataclass(frozen=True, slots=True)
class Explained:
    """A hazard that no model of ours can show, and why."""

    id: str
    title: str
    note: str
