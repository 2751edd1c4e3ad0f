"""The kernel calls: their numbers, who serves them, and how a call that cannot end at once says so.

A local call is served by the core that makes it, a remote one by the master. A remote call never blocks. A local
one may leave its core, or make a remote call, and go on at a later stage; the stages are all that is kept of it.

The calls on mutexes, semaphores and condition variables, and the reads and writes of mailboxes and portals as a
whole, are those of the user runtime, which in the real system is a library; here they are local calls, so that
every kind of user code has them.

Source: nanvix-facts 3.3. The numbers are ours; the real ones were not read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.thread import Thread


class Call(IntEnum):
    """The kernel calls by number; 0 is none."""

    # Threads
    THREAD_GET_ID = 1
    THREAD_EXIT = 2
    THREAD_JOIN = 3
    THREAD_YIELD = 4
    THREAD_SET_AFFINITY = 5
    THREAD_CREATE = 6
    SLEEP = 7
    WAKEUP = 8
    CLOCK = 9
    ALARM = 10
    # Cluster
    NODE_GET_NUM = 15
    FREEZE = 16
    UNFREEZE = 17
    USER_CALL_LOOKUP = 18
    HOLD = 19
    RELEASE = 20
    # Memory
    FRAME_ALLOC = 24
    FRAME_FREE = 25
    PAGE_ALLOC = 26
    PAGE_FREE = 27
    PAGE_LINK = 28
    # Signals and exceptions
    SIGCTL = 32
    SIGSEND = 33
    SIGWAIT = 34
    SIGRETURN = 35
    EXCP_CONTROL = 36
    EXCP_PAUSE = 37
    EXCP_RESUME = 38
    PERF_QUERY = 40
    PERF_START = 41
    PERF_STOP = 42
    PERF_READ = 43
    # Runtime
    MUTEX_INIT = 48
    MUTEX_LOCK = 49
    MUTEX_TRYLOCK = 50
    MUTEX_UNLOCK = 51
    MUTEX_DESTROY = 52
    MUTEXATTR_INIT = 53
    MUTEXATTR_SETTYPE = 54
    MUTEXATTR_GETTYPE = 55
    SEMAPHORE_INIT = 56
    SEMAPHORE_UP = 57
    SEMAPHORE_DOWN = 58
    SEMAPHORE_TRYDOWN = 59
    SEMAPHORE_DESTROY = 60
    CONDITION_INIT = 61
    CONDITION_WAIT = 62
    CONDITION_SIGNAL = 63
    CONDITION_BROADCAST = 64
    CONDITION_DESTROY = 65
    # Sync
    SYNC_CREATE = 72
    SYNC_OPEN = 73
    SYNC_UNLINK = 74
    SYNC_CLOSE = 75
    SYNC_SIGNAL = 76
    SYNC_WAIT = 77
    SYNC_IOCTL = 78
    # Mailbox
    MAILBOX_CREATE = 80
    MAILBOX_OPEN = 81
    MAILBOX_UNLINK = 82
    MAILBOX_CLOSE = 83
    MAILBOX_AREAD = 84
    MAILBOX_AWRITE = 85
    MAILBOX_WAIT = 86
    MAILBOX_IOCTL = 87
    MAILBOX_SET_REMOTE = 88
    MAILBOX_GET_PORT = 89
    MAILBOX_READ = 90
    MAILBOX_WRITE = 91
    # Portal
    PORTAL_CREATE = 96
    PORTAL_OPEN = 97
    PORTAL_UNLINK = 98
    PORTAL_CLOSE = 99
    PORTAL_ALLOW = 100
    PORTAL_AREAD = 101
    PORTAL_AWRITE = 102
    PORTAL_WAIT = 103
    PORTAL_IOCTL = 104
    PORTAL_GET_PORT = 105
    PORTAL_READ = 106
    PORTAL_WRITE = 107
    # Tasks
    TASK_RUN = 112
    """What the dispatcher is in while it runs a task; nobody else can call it."""
    TASK_DISPATCH = 113
    TASK_WAIT = 114
    # Migration
    MIGRATE_TO = 116
    MIGRATE_CANCEL = 117
    # Logical names of processes
    NAME_LINK = 120
    NAME_LOOKUP = 121
    # Tasks of a process
    TASK_CREATE = 128
    TASK_UNLINK = 129
    TASK_CONNECT = 130
    TASK_DISCONNECT = 131
    TASK_EMIT = 132
    TASK_CURRENT = 133
    TASK_GET = 134
    TASK_EXIT = 135
    TASK_RETURN = 136
    """The end of a function that a task runs; made by the stub to which it returns."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The thread leaves its core, asleep or not; the call goes on at `stage` when it has one again."""

    stage: int


@dataclass(frozen=True, slots=True)
class Again:
    """The call goes on at `stage` with the next step of its core."""

    stage: int


@dataclass(frozen=True, slots=True)
class Remote:
    """The call makes a remote call and goes on at `stage` with its result."""

    call: Call
    arguments: tuple[int, ...]
    stage: int


Outcome = int | Leave | Again | Remote
"""How one stage of a local call ends; a number is the result of the call."""


@dataclass(frozen=True, slots=True)
class Request:
    """One stage of a local call.

    core       where it is made
    thread     who makes it
    arguments  five, as unsigned words; the missing ones are 0
    stage      where it goes on; 0 at first
    value      result of the remote call that it has made last, signed
    """

    core: int
    thread: Thread
    arguments: tuple[int, ...]
    stage: int
    value: int

    def signed(self, number: int) -> int:
        """One argument as a signed number."""
        return signed(self.arguments[number])


LocalHandler = Callable[[Request], Outcome]
RemoteHandler = Callable[[int, tuple[int, ...]], int]
"""Core of the requester and its five arguments → result."""


NOT_SERVED = -Errno.ENOSYS
"""The result of a call that nobody serves."""
