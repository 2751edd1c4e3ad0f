"""Queues of threads: those in memory, linked through the threads themselves, and the kernel's own lists.

A thread has one link, so it stands in one queue at most; one that is put into a second queue breaks both
(nanvix-facts 9, H18).

Source: nanvix-facts 3.1, 5.
"""

from collections.abc import Iterator

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.structures import QUEUE, Structure, Word
from kmigrate.impl.kernel.thread import NULL, Thread


class ThreadQueue(Structure):
    """Threads that wait, first come first served."""

    __slots__ = ()

    head = Word(QUEUE, "head")
    tail = Word(QUEUE, "tail")
    size = Word(QUEUE, "size")

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Thread]:
        """The threads in order. Raises KernelPanic if the links do not agree with the size."""
        address = self.head
        for place in range(self.size):
            if address == NULL:
                raise KernelPanic(f"queue at {self.address:#x} ends after {place} of {self.size} threads")
            thread = Thread(self.memory, address)
            address = thread.next
            yield thread

    def append(self, thread: Thread) -> None:
        """Put a thread at the end."""
        thread.next = NULL
        if self.size:
            Thread(self.memory, self.tail).next = thread.address
        else:
            self.head = thread.address
        self.tail = thread.address
        self.size += 1

    def pop(self) -> Thread | None:
        """Take the first thread out; None when there is none."""
        if not self.size:
            return None
        thread = Thread(self.memory, self.head)
        self.remove(thread)
        return thread

    def remove(self, thread: Thread) -> None:
        """Take a thread out, wherever it stands. Raises KernelPanic if it is not in the queue."""
        before: Thread | None = None
        for other in self:
            if other == thread:
                break
            before = other
        else:
            raise KernelPanic(f"thread {thread.tid} is not in the queue at {self.address:#x}")
        following = thread.next
        if before is None:
            self.head = following
        else:
            before.next = following
        if self.tail == thread.address:
            self.tail = before.address if before is not None else NULL
        thread.next = NULL
        self.size -= 1


class WaitList:
    """Threads that wait in a queue of the kernel's own, which no migration moves.

    It holds addresses of thread slots, as the real queues do: whoever stands in a slot is woken.
    """

    __slots__ = ("_addresses", "_memory")

    def __init__(self, memory: Sram) -> None:
        self._memory = memory
        self._addresses: list[int] = []

    def __eq__(self, other: object) -> bool:
        """Whether the same slots stand in both, each in its own memory."""
        return isinstance(other, WaitList) and self._addresses == other._addresses

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._addresses)

    def __iter__(self) -> Iterator[Thread]:
        """The threads in order."""
        return (Thread(self._memory, address) for address in tuple(self._addresses))

    def copy(self, other: "WaitList") -> None:
        """Let the same slots stand here as in the list of another kernel."""
        self._addresses[:] = other._addresses

    def append(self, thread: Thread) -> None:
        """Put a thread at the end."""
        self._addresses.append(thread.address)

    def pop(self) -> Thread | None:
        """Take the first thread out; None when there is none."""
        return Thread(self._memory, self._addresses.pop(0)) if self._addresses else None

    def remove(self, thread: Thread) -> None:
        """Take a thread out, wherever it stands. Raises KernelPanic if it is not in the list."""
        if thread.address not in self._addresses:
            raise KernelPanic(f"thread {thread.tid} does not wait here")
        self._addresses.remove(thread.address)
