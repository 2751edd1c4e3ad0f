"""The hardened protocol survives lost, doubled and lasting messages and crashes; its mechanisms are why."""

import pytest

from kmigrate.checker import Report, check, interpret
from kmigrate.checker.interpret import search
from kmigrate.spec.protocol import Hardened
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism, Message


def violated(report: Report) -> set[str]:
    return {answer.name for answer in report.answers if answer.length is not None}


@pytest.mark.parametrize(
    ("faults", "states", "edges", "depth"),
    [
        ({"losses": 1}, 5728, 29185, 29),
        ({"duplicates": 1}, 40112, 206694, 31),
        ({"crashes": 1}, 4357, 20835, 28),
        ({"lasting": 1}, 770, 4309, 24),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_the_hardened_protocol_survives(faults: dict[str, int], states: int, edges: int, depth: int) -> None:
    report = check(Hardened(clusters=2, processes=1, attempts=2, **faults))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == set()


def test_every_fault_has_a_witness() -> None:
    for faults in ({"losses": 1}, {"duplicates": 1}, {"crashes": 1}):
        report = check(Hardened(clusters=2, processes=1, attempts=1, sections=2, **faults))
        missing = set(report.never_enabled)
        assert not missing & {"lose", "lose_want", "lose_sect", "crash", "answer_again"}
        assert not missing & {"duplicate", "duplicate_want", "duplicate_sect"}
        assert not missing & {"deliver_copy", "deliver_want_copy", "deliver_sect_copy"}


def test_a_crash_of_the_owner_after_the_commit_loses_the_process_with_its_node_and_is_excused() -> None:
    report = check(Hardened(clusters=2, processes=1, attempts=1, crashes=1))
    assert violated(report) == set()
    assert report.coverage["crash"] > 0


def outcomes(model: Hardened, doubt: dict[str, str]) -> set[str]:
    """The actions that end a doubt: those that lead out of the states in which all of `doubt` is so."""
    found = search(model)
    actions = model.schema.actions
    ended = set()
    for state in found.level:
        shown = model.schema.show(state)
        if all(shown[slot] == value for slot, value in doubt.items()):
            for number, after in found.interpreter.successors(state):
                now = model.schema.show(after)
                if any(now[slot] != doubt[slot] for slot in doubt if slot.startswith("at_")):
                    ended.add(actions[number].name)
    return ended


def test_a_destination_whose_source_has_crashed_learns_either_verdict() -> None:
    orphaned = {"at_destination[0]": "installed", "crashed[c0]": "True", "crashed[c1]": "False"}
    assert outcomes(Hardened(clusters=2, processes=1, attempts=1, crashes=1), orphaned) == {
        "start_copy",
        "clear_copy",
    }


def test_a_source_whose_message_was_lost_learns_either_verdict() -> None:
    unanswered = {"at_source[0]": "committing", "lost": "1"}
    unanswered |= {f"sent[{message.value},0]": "False" for message in (Message.COM, Message.CYES, Message.CNO)}
    model = Hardened(clusters=2, processes=1, attempts=1, losses=1)
    assert outcomes(model, unanswered) == set(), "it has to ask first"
    del unanswered["sent[CYES,0]"], unanswered["sent[CNO,0]"]
    assert outcomes(model, unanswered) == {"complete_move", "roll_back"}


@pytest.mark.parametrize(
    ("question", "fault", "length"),
    [
        (Mechanism.SOURCE_QUESTION, "losses", 10),
        (Mechanism.DESTINATION_QUESTION, "losses", 8),
        (Mechanism.DESTINATION_QUESTION, "crashes", 7),
    ],
)
def test_a_doubt_ends_only_with_the_questions(question: Mechanism, fault: str, length: int) -> None:
    size = {"clusters": 2, "processes": 1, "attempts": 1, fault: 1}
    silent = interpret.check(Hardened(**size, mechanisms=HARDENED_MECHANISMS - {question}), only="doubt_ends")
    assert silent.answer("doubt_ends").length == length
    asking = interpret.check(Hardened(**size), only="doubt_ends")
    assert asking.answer("doubt_ends").verdict.word == "holds"
