"""What can go wrong while a machine is being judged, other than that it does not conform."""


class ConformanceError(Exception):
    """Base of every error of the conformance package."""


class BadRunFile(ConformanceError):
    """A run file cannot be read as one."""

    def __init__(self, path: str, where: str, problem: str) -> None:
        super().__init__(f"{path}: {where}: {problem}")
        self.path, self.where, self.problem = path, where, problem


class AnotherRun(ConformanceError):
    """What should have been the same run was another one."""


class UncontrolledNondeterminism(AnotherRun):
    """The same configuration and choices led to another run: something decides that is not a choice."""

    def __init__(self, position: int, recorded: str, found: str) -> None:
        super().__init__(
            f"uncontrolled nondeterminism: at choice {position} the file has {recorded}, this run {found}"
        )
        self.position, self.recorded, self.found = position, recorded, found


class NotPublished(ConformanceError):
    """A run of other daemons is to be walked in the model of the published protocol."""

    def __init__(self, variant: str) -> None:
        super().__init__(
            f"the daemons of this run are {variant}; only runs of published ones are walked in the model, "
            "for every step of the others is judged by it anyway"
        )
        self.variant = variant


class UnmappedEvent(ConformanceError):
    """The machine reported an event that the table knows neither as visible nor as hidden."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the event {name!r} stands in no row of the table; add it to the mapping")
        self.name = name


class NotOfferedByPair(ConformanceError):
    """A pair of machine and model was asked for something that it need not have, and has not."""

    def __init__(self, pair: str, what: str, method: str) -> None:
        super().__init__(f"the pair {pair!r} does not offer {what}; give it a method {method}()")
        self.pair, self.what, self.method = pair, what, method
