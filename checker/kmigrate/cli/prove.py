"""`kmigrate prove`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, numbers, print_json, write_text
from kmigrate.cli.strengthen import infer, least
from kmigrate.proofs import Claim
from kmigrate.proofs.cache import Cache
from kmigrate.proofs.catalogue import CLAIMS, claim
from kmigrate.proofs.certificate import prepare, recheck, write
from kmigrate.proofs.page import page
from kmigrate.proofs.proof import TIMEOUT_SECONDS, Outcome, Proof, prove
from kmigrate.proofs.solvers import missing, program, versions
from kmigrate.report import Watch
from kmigrate.spec.language.variable import Switches
from kmigrate.spec.vocabulary import Mechanism

SHOWN = 2
"""How many counterexamples are told in full."""

LISTED = 20
"""How many obligations of unknown verdict are named for one reason."""

_COLOURS = {"proved": "green", "refuted": "red", "unknown": "yellow"}


@app.command("prove")
def prove_command(
    claims: Annotated[list[str] | None, typer.Argument(help="Claims by name; none: list them.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Prove every claim.")] = False,
    without: Annotated[list[str] | None, typer.Option("--without", help="Switch a mechanism off.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="One value of an open parameter instead of all: name=number.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds for each solver and obligation.")
    ] = TIMEOUT_SECONDS,
    first: Annotated[bool, typer.Option("--first", help="One counterexample for each action.")] = False,
    write_: Annotated[
        Path | None, typer.Option("--write", help="Write obligations and manifest here; nothing is remembered.")
    ] = None,
    recheck_: Annotated[Path | None, typer.Option("--recheck", help="Check such a directory again.")] = None,
    solver: Annotated[
        list[str] | None, typer.Option("--solver", help="Recheck by this program, such as 'z3 -in', instead.")
    ] = None,
    page_: Annotated[
        Path | None, typer.Option("--page", help="Write a page about the proofs here; nothing is remembered.")
    ] = None,
    infer_: Annotated[
        bool, typer.Option("--infer", help="Find the conjuncts that the claim needs, without those written down.")
    ] = False,
    fewest_: Annotated[
        bool, typer.Option("--fewest", help="Find the fewest mechanisms with which the claim is true.")
    ] = False,
    cache: Annotated[bool, typer.Option(help="Remember what solvers have refuted.")] = True,
    json_: JsonFlag = False,
) -> None:
    """Prove claims for every size, with two solvers, or show where induction fails."""
    if recheck_ is not None:
        if claims or all_ or without or set_ or write_ is not None or page_ is not None:
            raise WrongUse("--recheck checks what is in the directory; give it alone")
        _recheck(recheck_, timeout, solver or [], json_)
    if solver:
        raise WrongUse("--solver names who checks again what --recheck names; a proof is by both of ours")
    if infer_ or fewest_:
        if not claims or all_ or write_ is not None or page_ is not None or (infer_ and fewest_):
            raise WrongUse("--infer and --fewest search for one thing about claims by name; leave the rest out")
        search = infer if infer_ else least
        asked = [_asked(claim(name), without or [], set_ or []) for name in claims]
        raise typer.Exit(max(search(one, timeout, json_) for one in asked))
    if not claims and not all_:
        if without or set_ or write_ is not None or page_ is not None:
            raise WrongUse("name the claims to prove, or give --all")
        _list(json_)
        return
    chosen = [_asked(claim(name), without or [], set_ or []) for name in (CLAIMS if all_ else claims or [])]
    proofs: list[Proof] = []
    if write_ is not None:
        prepare(write_)
    for name in missing():
        _note(f"{name} is not installed: what is refuted by one solver alone is not proved")
    remembered = Cache(_cache_file() if cache and page_ is None and write_ is None else None)
    for one in chosen:
        with Watch(f"claim {one.name}") as watch:
            proofs.append(
                prove(
                    one,
                    timeout=timeout,
                    cache=remembered,
                    one_per_action=first,
                    established=frozenset(p.claim.name for p in proofs if p.verdict == "proved"),
                    progress=lambda done, total, watch=watch: watch.count(done, total, "obligations"),  # type: ignore[misc]
                )
            )
        if problem := remembered.save():
            _note(problem)
        if not json_:
            _tell(proofs[-1])
    if write_ is not None:
        files = write(proofs, write_)
        if not json_:
            console().print(f"{files:,} obligations written to {write_}; kmigrate prove --recheck {write_}")
    if page_ is not None:
        write_text(page(proofs), page_)
        if not json_:
            console().print(f"page written to {page_}")
    if json_:
        print_json({"solvers": versions(), "claims": [proof.as_json() for proof in proofs]})
    codes = [
        0 if all_ and proof.claim.false and proof.verdict == "refuted" else proof.exit_code for proof in proofs
    ]
    raise typer.Exit(1 if 1 in codes else max(codes))


def _note(sentence: str) -> None:
    """Something to know that is no part of the answer."""
    sys.stderr.write(f"kmigrate: {sentence}\n")


def _cache_file() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kmigrate" / "refuted.json"


def _asked(one: Claim, without: list[str], settings: list[str]) -> Claim:
    """The claim that the options describe."""
    return _without(one.at(numbers(settings)), without)


def _without(one: Claim, names: list[str]) -> Claim:
    """The claim about the model with mechanisms switched off."""
    if not names:
        return one
    switch = next((s for s in one.model.declared_parameters.values() if isinstance(s, Switches)), None)
    known = sorted(m.value for m in switch.default) if switch is not None else []
    for name in names:
        if name not in known:
            raise WrongUse(f"--without {name}: claim {one.name} has {', '.join(known) or 'no mechanisms'}")
    assert switch is not None
    left = switch.default - {Mechanism(name) for name in names}
    given = None if one.given is None else _without(one.given, names)
    return replace(one, fixed={**one.fixed, switch.name: left}, given=given)


def _list(json_: bool) -> None:
    if json_:
        print_json(
            [
                {"name": c.name, "title": c.title, "open": sorted(c.open), "conjuncts": len(c.hypotheses)}
                for c in CLAIMS.values()
            ]
        )
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("claim", "what it says", "for any number of"):
        table.add_column(heading, no_wrap=heading == "claim")
    for one in CLAIMS.values():
        table.add_row(one.name, one.title, ", ".join(sorted(one.open)))
    console().print(table)
    console().print("kmigrate prove NAME proves one, --all proves them all.")


def _tell(proof: Proof) -> None:
    one = proof.claim
    out = console()
    head = Text(f"{one.name:<18}", style="bold").append(proof.verdict, style=_COLOURS[proof.verdict])
    out.print(head.append(f"  {one.title}", style="default"))
    solvers = " and ".join(f"{name} {version}" for name, version in versions().items())
    rest = len(proof.outcomes) - proof.asked
    out.print(
        f"  {one.scope}: {len(one.hypotheses)} conjuncts, "
        f"{proof.asked:,} obligations put to {solvers}"
        + (f", {rest:,} more by steps that change nothing that they read" if rest else "")
        + f"; {proof.seconds:.1f} s"
    )
    for assumption in one.assumptions:
        out.print(f"  assumed: {assumption}", style="dim")
    out.print(f"  {proof.fragment.sentence}", style="dim")
    for line in proof.hollow:
        out.print(f"  hollow: {line}", style="yellow")
    refuted = [o for o in proof.open_ones() if o.counterexample is not None]
    told = {o.counterexample.told(): o.counterexample.way is None for o in refuted if o.counterexample is not None}
    for text in sorted(told, key=lambda text: told[text])[:SHOWN]:  # those that can be reached first
        out.print(Text(text))
    if len(told) > SHOWN:
        names = ", ".join(dict.fromkeys(o.obligation.name.rpartition(".")[0] for o in refuted))
        out.print(f"  {len(told)} counterexamples in all: {names}")
    for why, those in _by_reason(proof.alone_ones()).items():
        out.print(f"  {why}: {', '.join(those)}", style="dim")
    for why, those in _by_reason([o for o in proof.open_ones() if o.verdict == "unknown"]).items():
        shown = those if not refuted and len(those) <= LISTED else those[:SHOWN]
        out.print(f"  unknown: {', '.join(shown)}: {why}", style="yellow")
        if len(those) > len(shown):
            out.print(f"  and {len(those) - len(shown):,} more for the same reason", style="yellow")


def _by_reason(outcomes: list[Outcome]) -> dict[str, list[str]]:
    """The names of obligations, by why they are not proved by both solvers."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.why, []).append(outcome.obligation.name)
    return found


def _recheck(directory: Path, timeout: float, commands: list[str], json_: bool) -> None:
    solvers = dict(program(command) for command in commands) if commands else None
    with Watch(f"recheck {directory}") as watch:
        found = recheck(
            directory,
            timeout=timeout,
            solvers=solvers,
            progress=lambda done, total: watch.count(done, total, "files"),
        )
    if json_:
        document: dict[str, Any] = found.as_json()
        print_json(document)
    else:
        out = console()
        by = f"{found.files:,} files put to {' and '.join(found.solvers)}, {found.verdict}"
        out.print(f"{directory}: {by}", style=_COLOURS[found.verdict])
        for line in (*found.alone, *found.open, *found.stale):
            out.print(f"  {line}")
    raise typer.Exit(found.exit_code)
