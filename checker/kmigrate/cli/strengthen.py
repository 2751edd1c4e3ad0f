"""`kmigrate prove --infer` and `kmigrate prove --fewest`: what a claim needs, found by the program."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from kmigrate.cli.app import console, print_json
from kmigrate.proofs import Claim
from kmigrate.proofs.cache import Cache
from kmigrate.proofs.infer import Inference
from kmigrate.proofs.minimal import Tried, fewest
from kmigrate.proofs.proof import Proof, prove
from kmigrate.report import Watch


def infer(claim: Claim, timeout: float, json_: bool) -> int:
    """Find an inductive strengthening of a claim and prove it; the exit code."""
    with Watch(f"inferring for {claim.name}") as watch:
        found = Inference(claim, watch.say).run()
    proof = prove(found.claim, timeout=timeout)
    told = [clause.told() for clause in found.clauses]
    if json_:
        document: dict[str, Any] = {"claim": claim.name, "tried": found.tried, "conjuncts": told}
        print_json({**document, "verdict": proof.verdict, "obligations": proof.asked})
        return proof.exit_code
    out = console()
    out.print(Text(f"{claim.name}: {proof.verdict}", style="bold"))
    out.print(f"claimed: {', '.join(claim.safety)}; of {found.tried} candidates it needs {len(told)}:")
    for line in told:
        out.print(Text(f"  {line}"))
    _say_proof(proof)
    return proof.exit_code


def _say_proof(proof: Proof) -> None:
    console().print(f"{proof.asked:,} obligations {proof.claim.scope}")
    for line in proof.hollow:
        console().print(f"  hollow: {line}", style="yellow")
    for outcome in proof.open_ones():
        console().print(f"  {outcome.verdict}: {outcome.obligation.name}", style="yellow")


def least(claim: Claim, timeout: float, json_: bool) -> int:
    """Search for the fewest mechanisms with which a claim is proved; the exit code."""
    with Watch(f"mechanisms for {claim.name}"):
        tried = list(fewest(claim, timeout=timeout, cache=Cache()))
    enough = [one for one in tried if one.suffices]
    if json_:
        print_json({"claim": claim.name, "tried": [_as_json(one) for one in tried]})
    else:
        out = console()
        for one in tried:
            out.print(Text(f"{_names(one):<44} {_told(one)}"))
        sets = "; or ".join(_names(one) for one in enough) or "none of these sets"
        out.print(Text(f"{claim.name}: {', '.join(claim.safety)} needs {sets}", style="bold"))
    return 0 if enough else 3


def _names(tried: Tried) -> str:
    return " and ".join(str(mechanism.value) for mechanism in tried.mechanisms) or "nothing added"


def _told(tried: Tried) -> str:
    if tried.trace is not None:
        return f"false after {tried.trace.length} steps ({tried.trace.labels[-1]} is the last)"
    assert tried.proof is not None, "a set is refuted or put to proof"
    left = len(tried.proof.open_ones())
    return f"{tried.verdict}, {left or tried.proof.asked} obligations{' open' if left else ''}"


def _as_json(tried: Tried) -> dict[str, Any]:
    return {
        "mechanisms": [mechanism.value for mechanism in tried.mechanisms],
        "verdict": tried.verdict,
        "length": None if tried.trace is None else tried.trace.length,
        "trace": None if tried.trace is None else list(tried.trace.labels),
    }
