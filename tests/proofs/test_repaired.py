"""The published protocol with as few mechanisms as keep a process from being doubled."""

import json

import pytest

from kmigrate.checker import interpret
from kmigrate.cli import main, strengthen
from kmigrate.proofs.minimal import Tried, fewest
from kmigrate.proofs.proof import prove
from kmigrate.proofs.repaired import CLAIM, MECHANISMS, Repaired
from kmigrate.spec.language import action, require
from kmigrate.spec.protocol import Cluster, ClusterId
from kmigrate.spec.vocabulary import PUBLISHED_MECHANISMS, Mechanism, Portal, Role


@pytest.fixture(scope="module")
def tried() -> list[Tried]:
    return list(fewest(CLAIM))


def test_every_conjunct_holds_where_the_explorer_goes() -> None:
    for size in CLAIM.sizes:
        found = interpret.search(CLAIM.instance(size))
        for state in found.level:
            for name in (*CLAIM.conjuncts, *CLAIM.safety):
                assert found.interpreter.true(name, state), name


def test_the_two_mechanisms_are_the_fewest_and_no_other_set_does(tried: list[Tried]) -> None:
    assert [set(one.mechanisms) for one in tried if one.suffices] == [set(MECHANISMS)]
    for one in tried:
        if one.suffices:
            continue
        assert not set(one.mechanisms) >= MECHANISMS
        assert one.trace is not None
        assert not _single(one.trace.model, one.trace.end)
    missing = 2 ** len(PUBLISHED_MECHANISMS) - len(tried)
    assert missing == 3, "the three larger sets that contain the two are not tried"


def _single(model: object, state: tuple[int, ...]) -> bool:
    search = interpret.Interpreter(model)  # type: ignore[arg-type]
    return search.true("one_live_copy", state)


class Careless(Repaired):
    """Four mutants in one: induction asks about each action by itself."""

    @action(cluster=Cluster)
    def finish(self, cluster: ClusterId) -> None:
        """The source keeps its copy when it is done."""
        require(self.role[cluster] != Role.IDLE)
        require(self.walked[cluster] == self.sections)
        self.reset(cluster)

    @action(sender=Cluster)
    def take_to(self, sender: ClusterId) -> None:
        """The daemon that sends does not freeze."""
        require(self.to_slot[sender] != Cluster.null)
        require(self.role[sender] == Role.IDLE)
        self.role[sender] = Role.SENDING
        self.peer[sender] = self.to_slot[sender]
        self.to_slot[sender] = Cluster.null

    @action(sender=Cluster)
    def write(self, sender: ClusterId) -> None:
        """The sender does not note that it has sent a section."""
        require(self.role[sender] == Role.SENDING)
        require(self.walked[sender] < self.sections)
        require(self.portal[sender, self.peer[sender]] == Portal.ALLOWED)
        self.portal[sender, self.peer[sender]] = Portal.FULL
        self.cargo[sender, self.peer[sender]] = self.content[sender, self.walked[sender]]

    @action(receiver=Cluster, sender=Cluster)
    def take_from(self, receiver: ClusterId, sender: ClusterId) -> None:
        """The receiver starts anew in the middle of another walk."""
        require(self.from_slot[receiver, sender])
        self.from_slot[receiver, sender] = False
        self.frozen[receiver] = True
        self.role[receiver] = Role.RECEIVING
        self.peer[receiver] = sender


BROKEN = {
    "finish": "one_section_counts",
    "take_to": "senders_are_frozen",
    "write": "walks_keep_step",
    "take_from": "portals_are_awaited",
}


def test_mutants_are_refuted_by_a_readable_step() -> None:
    proof = prove(CLAIM.about(Careless), only=tuple(BROKEN), timeout=0.3, solvers=("z3",), one_per_action=True)
    found = {o.obligation.action: o.counterexample for o in proof.outcomes if o.counterexample is not None}
    assert {name: one.broken for name, one in found.items()} == BROKEN
    for name, one in found.items():
        assert f"  step    {name}(" in one.told()
        assert "\n  state   " in one.told()


@pytest.mark.parametrize("missing", sorted(MECHANISMS, key=str), ids=lambda one: str(one.value))
def test_without_either_mechanism_a_process_is_doubled(missing: Mechanism) -> None:
    model = Repaired(**{**CLAIM.sizes[0], "mechanisms": MECHANISMS - {missing}})
    assert interpret.check(model, only="one_live_copy").verdict == "violated"


def test_it_is_proved_for_every_size_by_both_solvers(tried: list[Tried]) -> None:
    (proof,) = (one.proof for one in tried if one.suffices)
    assert proof is not None
    assert (proof.verdict, proof.hollow, proof.alone_ones()) == ("proved", (), [])
    assert proof.claim.fixed == CLAIM.fixed


def test_the_command_names_the_fewest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tried: list[Tried]
) -> None:
    monkeypatch.setattr(strengthen, "fewest", lambda claim, **given: tried)
    with pytest.raises(SystemExit) as ended:
        main(["prove", "repaired", "--fewest", "--json"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)["tried"]
    assert [one["mechanisms"] for one in told if one["verdict"] == "proved"] == [["erase-source", "freeze-sender"]]
    assert next(one["length"] for one in told if one["mechanisms"] == []) == 10
