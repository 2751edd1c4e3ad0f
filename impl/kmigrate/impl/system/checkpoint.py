"""Checkpoints of processes of a machine, and processes that begin again from one, in this machine or another.

A process is held until it is at rest, its image is taken, and it goes on. All that moves with it stands in the
image; the runtime beside the kernel and the program are named there, so that both are found again. Whatever is
wrong with an image, or with the place for it, is refused before anything of the machine is touched.

Source: thesis 2.4.1.1; the rest is ours.
"""

from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.image import Image, Origin, Shape, origin_of
from kmigrate.impl.image.errors import Incomplete
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.programs.catalogue import names
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.errors import BadName, NameTaken, NoCheckpoint, NoDaemon, NoRestore, cluster_name
from kmigrate.impl.system.letters import NAME_BYTES, good_name
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.process import Phase, Process
from kmigrate.spec.vocabulary import Mode

PATIENCE_CYCLES = 40_000_000
"""After which a process that does not come to rest is let go on: 100 ms (assumed)."""


def checkpoint(system: Machine, process: Process) -> Image:
    """Take the image of a running process, which goes on after that; the machine runs until it is at rest.

    Raises  NoCheckpoint if it does not run, moves, does not come to rest, or has threads that sleep where no image
            would find them; NoDaemon
    """
    place = system.place(process)
    if system.phase(process) is not Phase.RUNNING:
        raise NoCheckpoint(process.name, f"it is {system.phase(process).value}")
    station = daemon_of_place(system, place).station
    if is_moving(system, place):
        raise NoCheckpoint(process.name, "it is being moved")
    freezing, residence = place.kernel.freezing, station.residence
    freezing.hold()
    end = system.now + PATIENCE_CYCLES
    agenda = system.agenda
    while not residence.quiet and not is_moving(system, place) and place.crash is None:
        following = agenda.next_cycle
        if following is None or following > end:
            break
        agenda.step()
    try:
        if is_moving(system, place):
            raise NoCheckpoint(process.name, "it is being moved")
        asleep = freezing.outside_the_image
        if asleep:
            found = ", ".join(map(str, asleep))
            raise NoCheckpoint(process.name, f"threads {found} sleep where no image would find them")
        if not residence.quiet:
            raise NoCheckpoint(process.name, "it does not come to rest")
        program, resident = process.program, station.resident
        origin = Origin(program.name, program.digest, program.runtime_digest, system.spawned(process).tid)
        return residence.image(
            process.number,
            0,
            1 if resident is None else resident.incarnation,
            place.node,
            None,
            mode=Mode.COLD,
            name=process.name,
            records=(origin.extension(),),
        )
    finally:
        if not is_moving(system, place):
            place.guard(freezing.release)


def restore(
    system: Machine,
    image: Image,
    cluster: int | None,
    *,
    program: UserProgram | None = None,
    name: str | None = None,
) -> Process:
    """Begin a process from an image on a cluster; it goes on where it was when the image was taken.

    program  what it runs; None: the one that ships and is named in the image
    name     its logical name; None: the one in the image
    Raises   NoRestore if the place is taken, has stopped or has no room, or if the program is another one;
             OtherKernel, Incomplete, BadName, NameTaken, NoSuchPlace, NoDaemon
    """
    place = system.cluster(cluster)
    manifest = image.manifest
    station = daemon_of_place(system, place).station
    manifest.require(Shape.of(place.placement))
    if manifest.frames_apart:
        raise Incomplete("manifest", HEADER_BYTES, "all frames in the image", f"{len(manifest.frames_apart)} apart")
    origin = origin_of(manifest)
    if origin is None:
        raise NoRestore(manifest.name, "the image does not say which program it is of")
    found = _program(system, origin, program)
    called = name or manifest.name
    if not good_name(called):
        raise BadName(called, NAME_BYTES)
    if called in system.processes:
        raise NameTaken(called)
    _check_place(system, place, called, image)
    place.guard(place.kernel.freezing.hold)
    system.run_until(lambda: station.residence.quiet or place.crash is not None, f"{place.name} is not at rest")
    _check_place(system, place, called, image)
    for address, content in found.stretches[:-1] if place.runtime != origin.runtime else ():
        place.memory.write(address, content)
    place.runtime = origin.runtime
    station.residence.reserve(manifest.kernel_pages_held, manifest.frames_held)
    station.residence.fill(image)
    process = Process(called, len(system.services.state.spawns), found)
    system.processes[called] = process
    system.services.adopt(called, place.node, found.name, found.entry, origin.tid)
    daemon_of_place(system, place).begin(process.number, manifest.incarnation)
    place.guard(place.kernel.freezing.release)
    place.version += 1
    system.agenda.record(place.number, "restored", process=process.number, incarnation=manifest.incarnation)
    return process


def daemon_of_place(system: Machine, place: Cluster) -> HardenedDaemon:
    """The hardened daemon of a cluster. Raises NoDaemon."""
    daemon = system.daemons.get(place.node)
    if not isinstance(daemon, HardenedDaemon):
        raise NoDaemon(place.number)
    return daemon


def is_moving(system: Machine, place: Cluster) -> bool:
    """Whether a move has anything to do with a cluster."""
    daemon = daemon_of_place(system, place)
    return bool(daemon.source.current or daemon.destination.current or daemon.station.pages_apart)


def _program(system: Machine, origin: Origin, given: UserProgram | None) -> UserProgram:
    """The program of an image. Raises NoRestore."""
    if given is None:
        if origin.program not in names():
            raise NoRestore(origin.program, "no program of that name ships: say where its ELF file is")
        given = system.program(origin.program)
    if (given.digest, given.runtime_digest) != (origin.digest, origin.runtime):
        why = f"the image is of the file with digest {origin.digest}, this one has {given.digest}"
        raise NoRestore(given.name, why)
    return given


def _check_place(system: Machine, place: Cluster, name: str, image: Image) -> None:
    """Whether a process can begin on a cluster. Raises NoRestore."""
    manifest, daemon = image.manifest, daemon_of_place(system, place)
    if place.crash is not None:
        raise NoRestore(name, f"{cluster_name(place.number)} has stopped")
    if system.agents[place.node].state.load is not None or not daemon.free:
        raise NoRestore(name, f"{cluster_name(place.number)} has a process, or one is coming")
    if not daemon.station.residence.free(manifest.kernel_pages_held, manifest.frames_held):
        raise NoRestore(name, f"pages that it needs on {cluster_name(place.number)} are in use")
