"""The C header of the kernel: call numbers, errors, sizes and limits, from the kernel's own tables.

The header is made anew for every build and stands in no file of its own, so it cannot disagree.

Source: ours.
"""

from enum import IntEnum

from kmigrate.impl.chip.geometry import PIECE_BYTES, Geometry
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.communicators import AGAIN
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.exceptions import EXCEPTIONS_NUM, HANDLE, IGNORE
from kmigrate.impl.kernel.flows import PORTAL_MAX_BYTES
from kmigrate.impl.kernel.mailboxes import MAILBOX_MAX, MAILBOX_PORTS
from kmigrate.impl.kernel.mutex import MutexType, mutex_bytes
from kmigrate.impl.kernel.perf import PerfEvent
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.portals import PORTAL_MAX, PORTAL_PORTS
from kmigrate.impl.kernel.semaphore import semaphore_bytes
from kmigrate.impl.kernel.signals import ALARM
from kmigrate.impl.kernel.syncs import SYNC_MAX, SyncType
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.task import Priority, TaskState, Trigger
from kmigrate.impl.kernel.usertasks import TASKS_MAX, EdgeKind, TaskFact
from kmigrate.impl.kernel.waiters import Waiters
from kmigrate.impl.programs.console import CONSOLE_BYTES


def kernel_constants(geometry: Geometry) -> dict[str, int]:
    """Every constant of the header by its C name, in the order of the header."""
    placement = Placement.of(geometry)
    slots = placement.slots
    nodes = geometry.torus.nodes
    constants = _named("KCALL_", Call) | _named("", Errno) | _named("", SyncType) | _named("MUTEX_", MutexType)
    constants |= _named("PERF_", PerfEvent) | _named("TASK_", EdgeKind) | _named("TASK_GET_", TaskFact)
    constants |= {f"TASK_{priority.name}": priority.value for priority in Priority}
    constants |= {f"TASK_{state.name}": place for place, state in enumerate(TaskState)}
    constants |= {f"TRIGGER_{trigger.name}": trigger.value for trigger in Trigger}
    constants |= {
        "PAGE_SIZE": geometry.page_bytes,
        "USER_BASE": geometry.user_base,
        "USER_PAGES": geometry.frames,
        "CORES": geometry.cores,
        "THREAD_MAX": slots,
        "LEADER_TID": placement.system_thread_count,
        "NODES_NUM": nodes,
        "FIRST_COMPUTE_NODE": geometry.torus.first_compute,
        "COMPUTE_CLUSTERS": geometry.clusters,
        "MUTEX_SIZE": mutex_bytes(slots),
        "SEMAPHORE_SIZE": semaphore_bytes(slots),
        "CONDITION_SIZE": Waiters.size_bytes(slots),
        "SYNC_MAX": SYNC_MAX,
        "MAILBOX_MAX": MAILBOX_MAX,
        "MAILBOX_PORTS": MAILBOX_PORTS,
        "MAILBOX_MESSAGE_SIZE": MESSAGE_BYTES,
        "MAILBOX_ANY_SOURCE": nodes,
        "MAILBOX_ANY_PORT": MAILBOX_PORTS,
        "PORTAL_MAX": PORTAL_MAX,
        "PORTAL_PORTS": PORTAL_PORTS,
        "PORTAL_PIECE_SIZE": PIECE_BYTES,
        "PORTAL_MAX_SIZE": PORTAL_MAX_BYTES,
        "WAIT_AGAIN": AGAIN,
        "CONSOLE_SIZE": CONSOLE_BYTES,
        "TASKS_MAX": TASKS_MAX,
        "SIGNALS": EXCEPTIONS_NUM,
        "SIGNAL_ALARM": ALARM,
        "EXCEPTION_IGNORE": IGNORE,
        "EXCEPTION_HANDLE": HANDLE,
    }
    return constants


def kernel_header(geometry: Geometry) -> str:
    """The text of `kernel.h` for the clusters of a geometry."""
    lines = ["/* Made from the kernel's tables; any change here is lost with the next build. */", ""]
    lines += ["#ifndef KERNEL_H", "#define KERNEL_H", ""]
    for name, value in kernel_constants(geometry).items():
        lines.append(f"#define {name} {value if value < 1 << 31 else f'{value:#x}u'}")
    return "\n".join([*lines, "", "#endif", ""])


def _named(prefix: str, enumeration: type[IntEnum]) -> dict[str, int]:
    return {prefix + member.name: member.value for member in enumeration}
