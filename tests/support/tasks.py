"""A cluster whose main thread dispatches tasks of the kernel and waits for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.syscall import Call, Outcome, Request
from kmigrate.impl.kernel.task import Task, Trigger
from support.cluster import Cluster
from support.scripts import Script, call


class Bench:
    """A cluster whose main thread dispatches tasks and waits for them."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.board = self.cluster.kernel.tasks
        self.graph = self.board.graph
        self.dispatcher = self.cluster.kernel.dispatcher
        self.output = ""

    def printer(self, letter: str, exit_with: Callable[[], Trigger] | None = None) -> Task:
        """A task that prints a letter."""

        def body(request: Request) -> Outcome:
            self.output += letter
            if exit_with is not None:
                self.dispatcher.exit(exit_with())
            return 0

        return self.graph.create(body)

    def run(self, *script: tuple[str, Task, tuple[int, ...]]) -> list[int]:
        """Let the main thread dispatch, or wait for, tasks; the results of the waits."""

        def main(_: int) -> Script:
            for what, task, arguments in script:
                if what == "dispatch":
                    yield from call(Call.TASK_DISPATCH, task.identity, *arguments)
                else:
                    self.cluster.note((yield from call(Call.TASK_WAIT, task.identity)))
            return 0

        self.cluster.run(main)
        self.cluster.settle()
        return self.cluster.results

    def dispatch(self, task: Task, *arguments: int) -> None:
        """Dispatch a task and let everything that follows happen."""
        self.run(("dispatch", task, arguments))

    def errno(self, action: Callable[..., object], *arguments: object, **options: object) -> str:
        with pytest.raises(Refused) as refused:
            action(*arguments, **options)
        return refused.value.errno.name


def nothing(request: Request) -> Outcome:
    return 0
