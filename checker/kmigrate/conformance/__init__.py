"""Conformance: the machine driven through schedules, every step judged by the model."""

from kmigrate.conformance.campaign import CampaignReport, campaign
from kmigrate.conformance.drivers import Schedule
from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.replay import Replay, replay
from kmigrate.conformance.run import Oracles, Outcome, judged
from kmigrate.conformance.runfile import RunFile, load
from kmigrate.conformance.shrink import shrink

__all__ = [
    "CampaignReport",
    "ConformanceError",
    "Judge",
    "Nonconformance",
    "Oracle",
    "Oracles",
    "Outcome",
    "Replay",
    "RunFile",
    "Schedule",
    "campaign",
    "judged",
    "load",
    "replay",
    "shrink",
]
