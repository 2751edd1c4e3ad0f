"""What a step of a kernel has done that takes time besides the step itself.

Who drives a kernel reads it after each step, to know how long the step took, and lets it be forgotten.

Source: ours.
"""


class Effort:
    """Counts since they were last forgotten.

    dispatched  tasks that the dispatcher has taken
    posted      calls that a core has left on its board
    passed      threads that a core has walked past in the READY queue, to find one that it may run
    """

    __slots__ = ("dispatched", "passed", "posted")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.dispatched = self.passed = self.posted = 0
