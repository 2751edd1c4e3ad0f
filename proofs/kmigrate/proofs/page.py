"""The page of proofs: what is proved for which sizes, by which solvers, in what time, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.proof import Proof
from kmigrate.proofs.solvers import SOLVERS, versions

TOP = """# What is proved for every size

Written by `kmigrate prove --all --page docs/proofs.md`; not by hand. Each claim is about a model of the
specification in which some numbers are left open. Its conjuncts are properties in the language of the
specification; their conjunction is shown to be inductive: it holds at the start, and every path of every action
keeps it. Each obligation is a text in SMT-LIB that is made from the specification, with those hypotheses that it
needs, and counts if both solvers refute it; where one alone does, it is listed with the reason. At small sizes an
explorer confirms that every conjunct is true wherever it comes, that every action is enabled somewhere under the
hypotheses as the solvers get them, and that no conjunct is true of all states alike. Seconds are of the processor;
what another claim has asked alike is not asked again.
"""

KINDS = {
    "initiation": "hold at the start",
    "consecution": "kept by every action",
    "safety": "follow",
    "step": "true of every step",
    "soundness": "no text goes wrong",
    "enabled": "enabled when due",
    "progress": "lower the measure",
}
"""What the obligations of each kind say, in few words."""


def page(proofs: Iterable[Proof]) -> str:
    """The page, in Markdown."""
    listed = list(proofs)
    by = " and ".join(f"{name} {version}" for name, version in versions().items())
    lines = [
        TOP,
        f"Solvers: {by}.",
        "",
        "| claim | what it says | verdict | obligations | seconds |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| [{p.claim.name}](#{p.claim.name}) | {p.claim.title} | {p.verdict} | {p.asked:,} | {_seconds(p)} |"
        for p in listed
    ]
    for proof in listed:
        lines += ["", *_section(proof)]
    return "\n".join(lines) + "\n"


def _section(proof: Proof) -> Iterator[str]:
    claim = proof.claim
    yield f"## {claim.name}"
    yield ""
    yield f"{claim.title[0].upper()}{claim.title[1:]}."
    yield ""
    yield f"- for every value of {', '.join(sorted(claim.open))}" + _fixed(claim)
    if claim.given is not None:
        yield f"- rests on the conjuncts of [{claim.given.name}](#{claim.given.name})"
    rest = len(proof.outcomes) - proof.asked
    kinds = ", ".join(f"{count:,} {KINDS[kind]}" for kind, count in sorted(_asked(proof).items()))
    yield f"- {proof.verdict}: {proof.asked:,} obligations ({kinds}); {rest:,} more need no solver"
    yield f"- {_seconds(proof)} seconds in the solvers, {proof.seconds:.0f} in all"
    yield f"- {proof.fragment.sentence}"
    yield from (f"- assumed: {assumption}" for assumption in claim.assumptions)
    yield from (f"- found hollow: {line}" for line in proof.hollow)
    yield from (f"- `{outcome.obligation.name}`: {outcome.why}" for outcome in proof.alone_ones())
    if claim.false:
        yield "- known to be false, and listed for its counterexample"
    yield ""
    yield "What is claimed:"
    yield ""
    model = claim.instance(claim.sizes[0])
    yield from (f"- `{name}`: {claim.property(model, name).doc}" for name in claim.safety)
    yield from (f"- `{step.__name__}`: {_first_line(step.__doc__)}" for step in claim.all_steps)
    if claim.ranking is not None:
        waited = ", ".join(dict.fromkeys(f"`{due.action}`" for due in claim.ranking.due))
        yield f"- each of these is enabled when it is due, and lowers the measure: {waited}"
    yield ""
    yield f"The {len(claim.conjuncts)} conjuncts:"
    yield ""
    yield from (f"- `{name}`: {claim.property(model, name).doc}" for name in claim.conjuncts)


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]


def _fixed(claim: Claim) -> str:
    shown = [f"{name} {value}" for name, value in claim.fixed.items() if isinstance(value, int)]
    return f"; {', '.join(shown)}" if shown else ""


def _asked(proof: Proof) -> dict[str, int]:
    """The obligations that went to the solvers, by kind."""
    found: dict[str, int] = {}
    for one in (outcome.obligation for outcome in proof.outcomes):
        if one.text:
            found[one.kind] = found.get(one.kind, 0) + 1
    return found


def _seconds(proof: Proof) -> str:
    """The time of each solver."""
    spent = {
        name: sum(r.seconds for o in proof.outcomes for r in o.replies if r.solver == name) for name in SOLVERS
    }
    return ", ".join(f"{name} {seconds:.0f}" for name, seconds in spent.items())
