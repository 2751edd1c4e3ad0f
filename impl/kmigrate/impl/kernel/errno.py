"""The errors of kernel calls by name, with Nanvix's own numbers.

Two implementations are compared by name, never by number: some ports take the numbers of their host.

Source: nanvix-behaviours (first page) for the numbers; those of EIO, ENOENT, ENOMSG, ENOSYS and
ETIMEDOUT are assumed.
"""

from enum import IntEnum


class Errno(IntEnum):
    """Why a kernel call was refused; the call returns the negative number."""

    EACCES = 2
    EADDRINUSE = 3
    EAGAIN = 6
    EBADF = 8
    EBUSY = 10
    EDEADLK = 16
    EFAULT = 21
    EINVAL = 28
    EIO = 29
    ENOENT = 44
    ENOMSG = 49
    ENOSYS = 52
    ENOTSUP = 58
    EPERM = 64
    ETIMEDOUT = 74


def name_of(result: int) -> str:
    """A result in words: `OK` for 0 and more, else the name of the error, `?` for one without a name."""
    if result >= 0:
        return "OK"
    try:
        return Errno(-result).name
    except ValueError:
        return "?"
