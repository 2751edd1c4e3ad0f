"""Conformance: the machine driven through schedules, every step judged by the model."""

from kmigrate.conformance.campaigns.campaign import Campaign, campaign
from kmigrate.conformance.campaigns.findings import CampaignReport
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.judging.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.judging.pair import Pair
from kmigrate.conformance.runs.replay import Replay, replay
from kmigrate.conformance.runs.run import Oracles, Outcome, judged
from kmigrate.conformance.runs.shrink import shrink
from kmigrate.conformance.settings.drivers import Schedule
from kmigrate.conformance.settings.runfile import RunFile, load
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.systems import Systems, systems

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
