"""What the users of a machine ask of it, and when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """At cycle `at` the process that runs on `cluster` calls kmigrate_to(`destination`)."""

    at: int
    cluster: int
    destination: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """At cycle `at` the open attempt whose source is `cluster` is cancelled."""

    at: int
    cluster: int


@dataclass(frozen=True, slots=True)
class Work:
    """At cycle `at` the process that runs on `cluster` takes one user step."""

    at: int
    cluster: int


@dataclass(frozen=True, slots=True)
class Meddle:
    """At cycle `at` a third party asks `cluster` to move `process` to `destination`. Hardened machines only."""

    at: int
    cluster: int
    process: int
    destination: int


@dataclass(frozen=True, slots=True)
class Crash:
    """At cycle `at` a cluster stops for good, and its memory is gone. Hardened machines only."""

    at: int
    cluster: int


Item = Request | Cancel | Work | Meddle | Crash
"""One item of a workload."""
