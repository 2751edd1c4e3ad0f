"""What can go wrong with a whole machine, one class per cause. Whatever names a cluster means `io` by None."""

from difflib import get_close_matches

from kmigrate.impl.errors import ImplError


def cluster_name(cluster: int | None) -> str:
    """The short name of a cluster: c0, c1, ...; io for the I/O cluster."""
    return "io" if cluster is None else f"c{cluster}"


class NoSuchPlace(ImplError):
    """A cluster was named on which no process can run."""

    def __init__(self, cluster: int | None, known: tuple[int | None, ...]) -> None:
        names = ", ".join(cluster_name(one) for one in known)
        super().__init__(f"no process can run on {cluster_name(cluster)}: there are {names}")
        self.cluster = cluster
        self.known = known


class NoSuchProcess(ImplError):
    """A process was asked for that the machine has never had."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no process is called {name!r}; there are {', '.join(known) or 'none'}")
        self.name = name


class NoDaemon(ImplError):
    """A move was wished for on a machine whose kernels have no migration daemon."""

    def __init__(self, cluster: int | None) -> None:
        super().__init__(
            f"{cluster_name(cluster)} has no migration daemon: a machine without the UArea has none, "
            "for a process is not one stretch of memory there"
        )
        self.cluster = cluster


class NoSuchMode(ImplError):
    """The published protocol was to move a process in a mode that it does not have."""

    def __init__(self, mode: str) -> None:
        super().__init__(f"the published daemons know one mode, stop-and-copy; {mode} needs the hardened ones")
        self.mode = mode


class NoCheckpoint(ImplError):
    """No image of a process can be taken now."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"process {name} has no checkpoint: {why}")
        self.name = name
        self.why = why


class NoSample(ImplError):
    """It cannot be seen how a process writes."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"how process {name} writes cannot be seen: {why}")
        self.name = name
        self.why = why


class NoRestore(ImplError):
    """No process can begin from an image here."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"process {name} is not restored: {why}")
        self.name = name
        self.why = why


class ProcessLost(ImplError):
    """A process was waited for whose pages stopped with the cluster that it had left."""

    def __init__(self, name: str, cluster: int | None) -> None:
        super().__init__(
            f"process {name} is lost with {cluster_name(cluster)}, where pages of it stood that had not followed "
            "it; it can begin again from a checkpoint"
        )
        self.name = name
        self.cluster = cluster


class NameTaken(ImplError):
    """Two processes were to have one name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a process is called {name!r} already: choose another name")
        self.name = name


class BadName(ImplError):
    """A process was given a name that no message can carry."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"process name {name!r}: it must be 1 to {most} ASCII characters without spaces")
        self.name = name


class SpawnRefused(ImplError):
    """A cluster did not take a process."""

    def __init__(self, process: str, cluster: int | None, error: str) -> None:
        super().__init__(f"{cluster_name(cluster)} refused process {process}: {error}")
        self.process = process
        self.cluster = cluster
        self.error = error


class ClusterCrashed(ImplError):
    """What was waited for cannot happen: the cluster's kernel has stopped. The others go on."""

    def __init__(self, cluster: int | None, core: int, thread: int, cycle: int, why: str) -> None:
        super().__init__(f"{cluster_name(cluster)} core {core} thread {thread}, cycle {cycle}: {why}")
        self.cluster = cluster
        self.core = core
        self.thread = thread
        self.cycle = cycle
        self.why = why


class NothingHappens(ImplError):
    """What was waited for cannot happen: nothing is pending in the whole machine."""

    def __init__(self, what: str, cycle: int) -> None:
        super().__init__(f"nothing can happen any more at cycle {cycle}, but {what}")
        self.what = what
        self.cycle = cycle


class OutOfTime(ImplError):
    """What was waited for had not happened by the cycle that was given."""

    def __init__(self, what: str, cycle: int) -> None:
        super().__init__(f"at cycle {cycle} still {what}")
        self.what = what
        self.cycle = cycle


class OtherSystem(ImplError):
    """A snapshot was put back into a machine that is built differently."""

    def __init__(self, what: str, found: object, needed: object) -> None:
        super().__init__(f"the snapshot is of a machine with {what} {found}, but this one has {needed}")
        self.what = what
        self.found = found
        self.needed = needed


class NoSnapshot(ImplError):
    """The machine is in a state that no snapshot can hold."""

    def __init__(self, cluster: int | None, why: str) -> None:
        super().__init__(f"{cluster_name(cluster)} cannot be put into a snapshot: {why}")
        self.cluster = cluster
        self.why = why


class BadScenario(ImplError):
    """A scenario file cannot be understood."""

    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(f"{file}:{line}: {why}" if line else f"{file}: {why}")
        self.file = file
        self.line = line
        self.why = why


def nearest(word: str, known: tuple[str, ...]) -> str:
    """What was meant, for the end of a sentence: the nearest of the known words, or all of them."""
    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
