"""Conformance: the machine driven through schedules, every step judged by the model."""

from kmigrate.conformance.campaign import Campaign, campaign
from kmigrate.conformance.drivers import Schedule
from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.findings import CampaignReport
from kmigrate.conformance.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.pair import Pair
from kmigrate.conformance.plan import Plan
from kmigrate.conformance.replay import Replay, replay
from kmigrate.conformance.run import Oracles, Outcome, judged
from kmigrate.conformance.runfile import RunFile, load
from kmigrate.conformance.setting import Setting
from kmigrate.conformance.shrink import shrink
from kmigrate.conformance.systems import Systems, systems

__all__ = [
    "Campaign",
    "CampaignReport",
    "ConformanceError",
    "Judge",
    "Nonconformance",
    "Oracle",
    "Oracles",
    "Outcome",
    "Pair",
    "Plan",
    "Replay",
    "RunFile",
    "Schedule",
    "Setting",
    "Systems",
    "campaign",
    "judged",
    "load",
    "replay",
    "shrink",
    "systems",
]
