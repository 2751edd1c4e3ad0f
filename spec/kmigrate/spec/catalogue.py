"""The models and the refinements by name.

A name is a module of this package, or a user's own `path/to/file.py:Class`.
"""

from __future__ import annotations

import difflib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from kmigrate.spec.channels import (
    Mailboxes,
    Portals,
    PublishedMailboxes,
    PublishedPortals,
    PublishedSyncs,
    Syncs,
)
from kmigrate.spec.channels_refinement import MAILBOX_FIFO, PORTAL_FIFO
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.ewd840 import Ewd840
from kmigrate.spec.examples.hygienic import Hygienic
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.freeze import Freeze, PublishedFreeze
from kmigrate.spec.freeze.refinement import FREEZE_PROTOCOL
from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.machine import Machine
from kmigrate.spec.machine.refinement import MACHINE_PROTOCOL
from kmigrate.spec.memory import Memory, PublishedMemory
from kmigrate.spec.memory_refinement import MEMORY_ATOMIC
from kmigrate.spec.modes import Modes, PublishedModes
from kmigrate.spec.modes_refinement import PUBLISHED_REFINES_RESIDENCE, REFINES_RESIDENCE, REFINES_TRANSFER
from kmigrate.spec.mstate import PublishedTransfer, Transfer
from kmigrate.spec.mstate_refinement import HARDENED_TRANSFER, PUBLISHED_TRANSFER
from kmigrate.spec.order import Order, PublishedOrder
from kmigrate.spec.protocol import Hardened, Published
from kmigrate.spec.refinements import HARDENED_RESIDENCE, PUBLISHED_RESIDENCE, Refinement
from kmigrate.spec.residence import Residence

DEFAULT_VARIANT = "hardened"


class UnknownModel(SpecError):
    """A model was asked for that does not exist."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        super().__init__(
            f"no model is called {name!r}: {hint}there are {', '.join(known)}, or path/to/file.py:Class"
        )
        self.name, self.known = name, known


class UnknownVariant(SpecError):
    """A variant was asked for that a model does not have."""

    def __init__(self, model: str, variant: str, known: tuple[str, ...]) -> None:
        there = f"there are {', '.join(known)}" if known else "it has no variants"
        super().__init__(f"model {model} has no variant {variant!r}: {there}")
        self.model, self.variant, self.known = model, variant, known


class BadModelFile(SpecError):
    """A user's model could not be loaded from its file."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue."""

    name: str
    title: str
    variants: dict[str, type[Model]]
    """Variant name → class; the single key "" for a model without variants."""


MODELS: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("residence", "L0: where each process lives; a migration is one atomic step", {"": Residence}),
        Entry(
            "protocol",
            "L1: request, freeze, transfer, unfreeze between the daemons of N clusters",
            {"published": Published, "hardened": Hardened},
        ),
        Entry(
            "mstate",
            "L2: sender and receiver over the ten states, task by task, piece by piece",
            {"published": PublishedTransfer, "hardened": Transfer},
        ),
        Entry(
            "order",
            "L2: the nine states that move data, in any order",
            {"published": PublishedOrder, "hardened": Order},
        ),
        Entry(
            "freeze",
            "L2: cores, threads, boards, and the kernel's side of an image between two clusters",
            {"published": PublishedFreeze, "hardened": Freeze},
        ),
        Entry(
            "memory",
            "L2: frames, pages, TLBs and caches without coherence, and who stands in them",
            {"published": PublishedMemory, "hardened": Memory},
        ),
        Entry(
            "channels",
            "L2: mailboxes, a slot per sender, under processes that move",
            {"published": PublishedMailboxes, "hardened": Mailboxes},
        ),
        Entry(
            "portals",
            "L2: portals, permission by permission, under processes that move",
            {"published": PublishedPortals, "hardened": Portals},
        ),
        Entry(
            "syncs",
            "L2: synchronization points under processes that move",
            {"published": PublishedSyncs, "hardened": Syncs},
        ),
        Entry(
            "modes",
            "L2: cold, stop-and-copy, pre-copy, post-copy and hybrid over versioned pages",
            {"published": PublishedModes, "hardened": Modes},
        ),
        Entry(
            "machine", "L3: the hardened protocol over the kernels, at the implementation's grain", {"": Machine}
        ),
        Entry("two-phase-commit", "example: Gray and Lamport's two-phase commit", {"": TwoPhaseCommit}),
        Entry("peterson", "example: Peterson's filter lock for N processes", {"": Peterson}),
        Entry("philosophers", "example: dining philosophers, one deadlock at every size", {"": Philosophers}),
        Entry("hygienic", "example: Chandy and Misra's philosophers, none of whom starves", {"": Hygienic}),
        Entry("ewd840", "example: termination detection with a token in a ring", {"": Ewd840}),
        Entry("diehard", "example: four litres with two jugs (its invariant is meant to fail)", {"": DieHard}),
    )
}


def find(name: str, variant: str | None = None) -> type[Model]:
    """The class of a model; the hardened variant where there are variants and none is asked for.

    Raises  UnknownModel, UnknownVariant, BadModelFile.
    """
    if ":" in name:
        if variant is not None:
            raise UnknownVariant(name, variant, ())
        return _load(name)
    entry = MODELS.get(name)
    if entry is None:
        raise UnknownModel(name, tuple(MODELS))
    known = tuple(v for v in entry.variants if v)
    if not known:
        if variant is not None:
            raise UnknownVariant(name, variant, ())
        return entry.variants[""]
    chosen = DEFAULT_VARIANT if variant is None else variant
    if chosen not in entry.variants:
        raise UnknownVariant(name, chosen, known)
    return entry.variants[chosen]


def _load(name: str) -> type[Model]:
    path, _, wanted = name.rpartition(":")
    if not Path(path).is_file():
        raise BadModelFile(path, "there is no such file; write path/to/file.py:Class")
    spec = importlib.util.spec_from_file_location(f"kmigrate_user_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise BadModelFile(path, "is not a Python file; write path/to/file.py:Class")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SpecError:
        raise
    except Exception as error:
        raise BadModelFile(path, f"does not load: {type(error).__name__}: {error}") from error
    found = getattr(module, wanted, None)
    if not (isinstance(found, type) and issubclass(found, Model)):
        there = [
            n for n, c in vars(module).items() if isinstance(c, type) and issubclass(c, Model) and c is not Model
        ]
        raise BadModelFile(path, f"has no model called {wanted!r}; it has {', '.join(there) or 'none'}")
    return found


REFINEMENTS: dict[str, Refinement] = {
    one.name: one
    for one in (
        HARDENED_RESIDENCE,
        PUBLISHED_RESIDENCE,
        MACHINE_PROTOCOL,
        FREEZE_PROTOCOL,
        HARDENED_TRANSFER,
        PUBLISHED_TRANSFER,
        REFINES_RESIDENCE,
        PUBLISHED_REFINES_RESIDENCE,
        REFINES_TRANSFER,
        MEMORY_ATOMIC,
        MAILBOX_FIFO,
        PORTAL_FIFO,
    )
}
"""The refinements that are written down, by name: lower-upper."""
