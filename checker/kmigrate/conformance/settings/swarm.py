"""Settings drawn from a seed: clusters, cores, what the processes do, what third parties wish, which clusters stop.

Swarm selection: each run uses only some of the kinds of disturbance, so that one kind does not mask another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Self

from kmigrate.conformance.settings.programs import AGAIN, CALL, CANCEL, GO, HANDLE, PAGE, SLEEP, SPIN, Script
from kmigrate.conformance.settings.setting import PATIENCE, Crash, Setting, Wish
from kmigrate.conformance.settings.workloads import KINDS as TOGETHER
from kmigrate.conformance.settings.workloads import together
from kmigrate.impl.system.faults import FaultKind, NetworkFault

HORIZON_EVENTS = 1_500
"""Crashes come within this many events: about two migrations."""

HORIZON_TRANSFERS = 160
"""Faults of the network come within this many transfers: about two migrations."""

MEETING_CHANCE = 0.5
"""That all processes of a machine with a free cluster ask to be moved to the same one."""

FAULTS = (FaultKind.LOST, FaultKind.DOUBLED, FaultKind.DELAYED, FaultKind.FLIPPED)
"""Of the network; what is repeated is for tours, which know what for."""

MOST_FAULTS = 6
"""Of the network in one run; each of the few letters of a migration shall meet one now and then."""

TOGETHER_CHANCE = 0.5
"""That threads or processes of a run do something together: of one kind."""

KINDS = ("cancel", "hasty", "page", "crash", "third party", "network", "busy")
"""Kinds of disturbance: threads that call a move off; daemons with little patience; processes with pages; a cluster
that stops; wishes of third parties; transfers that are lost, doubled, late or damaged; threads that call all the
time."""

HASTY = (2, 6, 12)
"""Ticks that hasty daemons wait; with the fewest no move comes to its end."""

BUSY_CALLS = 24
"""Calls of a thread that calls all the time."""

CHANCE, CHANCE_OF_A_CRASH = 0.33, 0.2
"""That a run uses one of these kinds; what stops a move before it is done is rarer."""

PUBLISHED_KINDS = {"asks": 0.4, "third party": 0.7, "threads": 0.7, "page": 0.5, "sleep": 0.5, "crash": 0.1}
"""The same for published daemons: processes that ask to be moved themselves; wishes of third parties; second
threads; pages; threads that sleep; a cluster that stops. Each with its chance: what stops a run early is rare."""

MOST_WISHES = 4
"""Of third parties in a run with published daemons."""

RING_CHANCE = 0.25
"""That third parties wish every process of a full machine to the next cluster, the last one to the first."""

AGAIN_CHANCE = 0.3
"""That a second thread begins anew whenever it is done."""

HANDLER_CHANCE = 0.1
"""That a process there has a handler for a signal."""

ENDS, PUBLISHED_ENDS_CHANCE = ("mail", "portal"), 0.2
"""What processes there have together, and the chance that they have it, where it fits what they do."""

MOST_ITEMS = 8
"""Of a second thread there."""

SEEDS = 12
"""Different scripts of each kind: few, so that machines that have come up once are used again."""


@dataclass(frozen=True, slots=True)
class Swarm:
    """Bounds within which settings are drawn.

    clusters   numbers of clusters, one is picked
    processes  numbers of processes, likewise
    workers    numbers of further threads of a process, likewise
    requests   most moves that a process asks for
    kinds      kinds of disturbance that may be used
    calls      most calls of a thread
    always     what every first thread does, where nothing about it is drawn
    together   kinds of what threads and processes do together that may be used
    """

    clusters: tuple[int, ...] = (2, 3)
    processes: tuple[int, ...] = (1, 2)
    workers: tuple[int, ...] = (0, 1, 1)
    requests: int = 2
    kinds: tuple[str, ...] = KINDS
    calls: int = 3
    always: tuple[str, ...] = ()
    together: tuple[str, ...] = TOGETHER

    @classmethod
    def small(cls) -> Self:
        """The one shape of the small scope: two clusters, a process that asks once, two threads without calls."""
        return cls((2,), (1,), (1,), kinds=("cancel", "hasty", "network"), calls=0, always=(GO,), together=())

    def setting(self, random: Random, variant: str = "hardened") -> Setting:
        """One run's setting."""
        if variant == "published":
            return self._published(random)
        chosen = [
            kind for kind in self.kinds if random.random() < (CHANCE_OF_A_CRASH if kind == "crash" else CHANCE)
        ]
        clusters, processes = random.choice(self.clusters), random.choice(self.processes)
        meet = processes < clusters and random.random() < MEETING_CHANCE
        scripts = tuple(
            self._script(Random(f"{number}:{random.randrange(SEEDS)}"), number, clusters, chosen)  # noqa: S311
            for number in range(processes)
        )
        if meet:
            scripts = tuple(replace(script, away=clusters - 1) for script in scripts)
        setting = Setting(
            variant=variant,
            clusters=clusters,
            slaves=2,
            scripts=scripts,
            patience=random.choice(HASTY) if "hasty" in chosen else PATIENCE,
            wishes=tuple(sorted(self._wishes(random, clusters, processes))) if "third party" in chosen else (),
            crashes=(Crash(random.randrange(HORIZON_EVENTS), random.randrange(clusters)),)
            if "crash" in chosen
            else (),
            faults=self._faults(random) if "network" in chosen else (),
        )
        return _sociable(setting, self.together)

    def _published(self, random: Random) -> Setting:
        """A machine with published daemons: every cluster may be occupied, and most wishes come from outside."""
        clusters = random.choice(self.clusters)
        processes = random.randint(1, clusters)
        chosen = [kind for kind in PUBLISHED_KINDS if random.random() < PUBLISHED_KINDS[kind]]
        scripts = tuple(
            self._crowded(Random(f"{number}:{random.randrange(SEEDS)}"), number, clusters, chosen)  # noqa: S311
            for number in range(processes)
        )
        wishes: tuple[Wish, ...] = ()
        if "third party" in chosen:
            wishes = tuple(
                Wish(random.randrange(processes), random.randrange(clusters))
                for _ in range(random.randint(1, MOST_WISHES))
            )
        if wishes and processes == clusters and random.random() < RING_CHANCE:
            wishes = tuple(Wish(process, (process + 1) % clusters) for process in range(processes))
        crash = Crash(random.randrange(HORIZON_EVENTS), random.randrange(clusters))
        setting = Setting(
            variant="published",
            clusters=clusters,
            slaves=2,
            scripts=scripts,
            wishes=tuple(sorted(wishes)),
            crashes=(crash,) if "crash" in chosen else (),
        )
        if self.together and random.random() < PUBLISHED_ENDS_CHANCE:
            own = Random(f"ends:{random.randrange(SEEDS)}")  # noqa: S311 - a workload, not a secret
            woven = replace(setting, scripts=together(own, random.choice(ENDS), scripts, lossless=True))
            setting = setting if woven.problem else woven
        return setting

    def _crowded(self, random: Random, number: int, clusters: int, chosen: list[str]) -> Script:
        """What one process does that need not ask to be moved: its threads call, take pages, sleep."""
        away = random.choice([cluster for cluster in range(clusters) if cluster != number])
        main = [GO] * random.randint(1, self.requests) if "asks" in chosen else []
        items = [CALL, SPIN, *([PAGE] if "page" in chosen else [])]
        main += [random.choice(items) for _ in range(random.randint(0, self.calls))]
        random.shuffle(main)
        workers = []
        if "threads" in chosen:
            worker = [random.choice(items) for _ in range(random.randint(1, MOST_ITEMS))]
            if "sleep" in chosen and random.random() < 0.5:
                worker.append(SLEEP)
            elif random.random() < AGAIN_CHANCE:
                worker.append(AGAIN)
            workers.append(tuple(worker))
        if random.random() < HANDLER_CHANCE:
            main.insert(0, HANDLE)
        return Script(away, tuple(main), tuple(workers))

    def _script(self, random: Random, number: int, clusters: int, chosen: list[str]) -> Script:
        """What one process does."""
        away = random.choice([cluster for cluster in range(clusters) if cluster != number])
        main = [GO] * random.randint(1, self.requests)
        for item in (CALL, SPIN):
            if random.random() < 0.5:
                main.insert(random.randint(0, len(main)), item)
        if self.always:
            main = list(self.always)
        if "page" in chosen:
            main.insert(0, PAGE)
        workers = []
        for _ in range(random.choice(self.workers)):
            worker = [random.choice((CALL, CALL, SPIN)) for _ in range(random.randint(0, self.calls))]
            worker += [CALL] * (BUSY_CALLS if "busy" in chosen else 0)
            if "cancel" in chosen:
                worker.insert(random.randint(0, len(worker)), CANCEL)
            workers.append(tuple(worker))
        return Script(away, tuple(main), tuple(workers))

    def _faults(self, random: Random) -> tuple[NetworkFault, ...]:
        places = random.sample(range(HORIZON_TRANSFERS), random.randint(1, MOST_FAULTS))
        return tuple(
            NetworkFault(place, random.choice(FAULTS), random.randrange(4_096)) for place in sorted(places)
        )

    def _wishes(self, random: Random, clusters: int, processes: int) -> list[Wish]:
        wishes = [Wish(random.randrange(processes), random.randrange(clusters))]
        if random.random() < 0.4:
            wishes.append(Wish(wishes[0].process, -1))
        return wishes


def _sociable(setting: Setting, kinds: tuple[str, ...]) -> Setting:
    """The same, or with a kind of what threads and processes do together woven in.

    The setting itself decides: what is drawn after it is the same with and without.
    """
    random = Random(repr(setting))  # noqa: S311 - a workload, not a secret
    if not kinds or random.random() >= TOGETHER_CHANCE:
        return setting
    kind, seed = random.choice(kinds), random.randrange(SEEDS)
    lossless = not (setting.faults or setting.crashes)
    own = Random(f"{kind}:{seed}")  # noqa: S311 - a workload, not a secret
    return replace(setting, scripts=together(own, kind, setting.scripts, lossless=lossless))
