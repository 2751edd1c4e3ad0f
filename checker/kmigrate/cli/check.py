"""`kmigrate models` and `kmigrate check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from kmigrate.checker import Limits, Report, Trace, Violated, check
from kmigrate.checker.engines import ENGINES
from kmigrate.checker.refine import refines as refines_model
from kmigrate.checker.simulate import simulate
from kmigrate.checker.verdict import parameters_as_json
from kmigrate.cli.app import JsonFlag, WrongUse, app, console, numbers, print_json
from kmigrate.cli.tables import check_all
from kmigrate.report import Watch, answers_table, coverage_line, size_line, told
from kmigrate.spec.catalogue import DEFAULT_VARIANT, MODELS, REFINEMENTS, find
from kmigrate.spec.language import Model
from kmigrate.spec.language.variable import Parameter, Switches
from kmigrate.spec.sizes import SIZES, TABLES
from kmigrate.spec.vocabulary import Mechanism


def _mechanism(name: str) -> Mechanism:
    try:
        return Mechanism(name)
    except ValueError:
        known = ", ".join(m.value for m in Mechanism)
        raise WrongUse(f"no mechanism is called {name!r}; there are {known}") from None


def _given(named: dict[str, int | None]) -> dict[str, int]:
    return {name: value for name, value in named.items() if value is not None}


def named_size(model: str, variant: str | None, name: str) -> dict[str, Any]:
    """The parameters of a line of the table of sizes."""
    lines = [s for s in SIZES if s.model == model and variant in (None, s.variant)]
    for line in lines:
        if line.name == name and line.variant in (variant, None, DEFAULT_VARIANT):
            return dict(line.parameters)
    known = ", ".join(dict.fromkeys(line.name for line in lines))
    raise WrongUse(f"model {model} has no size {name!r}; " + (f"there are {known}" if known else "it has none"))


def build(
    name: str,
    variant: str | None,
    named: dict[str, Any],
    settings: list[str],
    with_: list[str],
    without: list[str],
) -> Model:
    """The model that the options describe."""
    kind = find(name, variant)
    given = {**named, **numbers(settings)}
    if with_ or without:
        switch = next((s for s in kind.declared_parameters.values() if isinstance(s, Switches)), None)
        if switch is None:
            raise WrongUse(f"model {name} has no mechanisms to switch")
        added = {_mechanism(m) for m in with_}
        removed = {_mechanism(m) for m in without}
        foreign = sorted(m.value for m in removed - switch.available)
        if foreign:
            known = ", ".join(sorted(m.value for m in switch.available))
            raise WrongUse(f"--without {foreign[0]}: this variant has {known}")
        given[switch.name] = (switch.default | added) - removed
    return kind(**given)


SIMULATION_STEPS = 200
"""The length of a random walk unless --depth says otherwise."""


@app.command()
def models(json_: JsonFlag = False) -> None:
    """List the models, one line each, with their parameters."""
    if json_:
        print_json(
            [
                {
                    "name": entry.name,
                    "title": entry.title,
                    "variants": [v for v in entry.variants if v],
                    "parameters": {
                        p.name: {"default": p.default, "low": p.low, "high": p.high, "meaning": p.doc}
                        for kind in entry.variants.values()
                        for p in kind.declared_parameters.values()
                        if isinstance(p, Parameter)
                    },
                }
                for entry in MODELS.values()
            ]
        )
        return
    for entry in MODELS.values():
        kind = next(iter(entry.variants.values()))
        numbers = [
            f"--{p.name} {p.low}..{p.high}" for p in kind.declared_parameters.values() if isinstance(p, Parameter)
        ]
        variants = " | ".join(v for v in entry.variants if v)
        line = Text(f"{entry.name:<18}", style="bold").append(entry.title, style="default")
        console().print(line)
        extra = " ".join(([f"--variant {variants}"] if variants else []) + numbers)
        if extra:
            console().print(Text(" " * 18 + extra, style="dim"))
    console().print("path/to/file.py:Class  a model of your own")


@app.command("check")
def check_command(
    model: Annotated[str | None, typer.Argument(help="A model's name, or path/to/file.py:Class.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Check every model of the table of sizes.")] = False,
    table: Annotated[str, typer.Option(help=f"Which lines of it: {', '.join(TABLES)}.")] = TABLES[0],
    write: Annotated[Path | None, typer.Option(help="Write the table of verdicts here, as Markdown.")] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Leave out the bounds of each line.")] = False,
    size: Annotated[str | None, typer.Option(help="A named size of the model, as in the table.")] = None,
    variant: Annotated[str | None, typer.Option(help="published or hardened, where a model has both.")] = None,
    engine: Annotated[str | None, typer.Option(help=f"{', '.join(ENGINES)}; by size if not given.")] = None,
    clusters: Annotated[int | None, typer.Option(help="Compute clusters.")] = None,
    processes: Annotated[int | None, typer.Option(help="Processes.")] = None,
    attempts: Annotated[int | None, typer.Option(help="Requests made in all.")] = None,
    sections: Annotated[int | None, typer.Option(help="Sections of an image.")] = None,
    managers: Annotated[int | None, typer.Option(help="Resource managers (two-phase-commit).")] = None,
    philosophers: Annotated[int | None, typer.Option(help="Philosophers.")] = None,
    nodes: Annotated[int | None, typer.Option(help="Nodes of the ring (ewd840).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any parameter: name=number.")] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help="Add a mechanism.")] = None,
    without: Annotated[list[str] | None, typer.Option("--without", help="Switch a mechanism off.")] = None,
    max_states: Annotated[int | None, typer.Option(min=1, help="Stop after so many states.")] = None,
    depth: Annotated[int | None, typer.Option(min=0, help="Stop after so many levels (z3: steps).")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.0, help="Stop after so many seconds.")] = None,
    max_memory: Annotated[int | None, typer.Option(min=1, help="Stop at so many MiB of states.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Threads.")] = 1,
    checkpoint: Annotated[Path | None, typer.Option(help="Save the search here, and resume it from here.")] = None,
    induction: Annotated[int | None, typer.Option(min=1, help="z3: look back so many states by induction.")] = None,
    refines: Annotated[str | None, typer.Option(help="Check that it refines this model above: residence.")] = None,
    simulate_: Annotated[int | None, typer.Option("--simulate", min=1, help="Random walks instead.")] = None,
    seed: Annotated[int, typer.Option(help="The seed of the walks.")] = 1,
    symmetry: Annotated[bool, typer.Option("--symmetry", help="Visit one state of each orbit.")] = False,
    trace: Annotated[bool, typer.Option("--trace/--no-trace", help="Tell each counterexample in lanes.")] = False,
    json_: JsonFlag = False,
) -> None:
    """Decide every property of a model: holds, violated with a shortest trace, or undetermined."""
    if all_:
        if model is not None:
            raise WrongUse("--all checks the whole table; leave the model out")
        check_all(table, engine, workers, write, brief, json_)
    if write is not None:
        raise WrongUse("--write writes the table that --all checks; for one model take --json")
    if model is None:
        raise WrongUse("name a model (kmigrate models lists them), or say --all")
    named = {
        "clusters": clusters,
        "processes": processes,
        "attempts": attempts,
        "sections": sections,
        "managers": managers,
        "philosophers": philosophers,
        "nodes": nodes,
    }
    sized = {} if size is None else named_size(model, variant, size)
    instance = build(model, variant, {**sized, **_given(named)}, set_ or [], with_ or [], without or [])
    if refines is not None:
        _check_refinement(instance, model, refines, max_states, json_)
    memory = None if max_memory is None else max_memory << 20
    limits = Limits(max_states=max_states, max_depth=depth, timeout=timeout, max_memory=memory)
    with Watch(f"checking {model}") as watch:
        if simulate_ is not None:
            if induction is not None:
                raise WrongUse("--simulate walks at random; --induction is of --engine z3")
            steps = SIMULATION_STEPS if depth is None else depth
            report = simulate(instance, walks=simulate_, depth=steps, seed=seed, name=model, progress=watch.search)
        else:
            report = check(
                instance,
                name=model,
                engine=engine,
                limits=limits,
                symmetry=symmetry,
                workers=workers,
                checkpoint=checkpoint,
                induction=induction,
                progress=watch.search,
            )
    if json_:
        print_json(report.as_json())
    else:
        _print_report(report, instance, trace)
    raise typer.Exit(report.exit_code)


def _check_refinement(model: Model, name: str, above: str, max_states: int | None, json_: bool) -> NoReturn:
    """Check a refinement, print what was found and exit."""
    known = [r for r in REFINEMENTS.values() if isinstance(model, r.lower)]
    refinement = next((r for r in known if r.upper is find(above)), None)
    if refinement is None:
        there = ", ".join(r.name for r in REFINEMENTS.values())
        raise WrongUse(f"no abstraction from {name} to {above} is written down; there are {there}")
    with Watch(f"refinement {refinement.name}") as watch:
        report = refines_model(model, refinement, max_states=max_states, progress=watch.search)
    if json_:
        trace = report.verdict.trace.as_json() if isinstance(report.verdict, Violated) else None
        print_json(
            {
                "refinement": refinement.name,
                "parameters": parameters_as_json(model.parameters),
                "verdict": report.verdict.word,
                "reason": report.reason,
                "states": report.states,
                "edges": report.edges,
                "stutters": report.stutters,
                "seen": report.seen,
                "trace": trace,
            }
        )
    else:
        console().print(Text(f"{refinement.name}: {report.verdict.word}", style="bold"))
        console().print(f"bounds: {size_line(parameters_as_json(model.parameters))}")
        console().print(report.reason)
        if isinstance(report.verdict, Violated):
            console().print(_way(report.verdict.trace))
        taken = ", ".join(f"{action} {times}" for action, times in report.seen.items())
        console().print(f"{report.states:,} states, {report.edges:,} edges, {report.stutters:,} stutters; {taken}")
    raise typer.Exit(report.exit_code)


def _print_report(report: Report, model: Model, trace: bool) -> None:
    console().print(Text(f"{report.model} ({type(model).__name__}): {report.verdict}", style="bold"))
    console().print(f"bounds: {size_line(report.parameters)}")
    console().print(answers_table(report))
    for answer in report.answers:
        if isinstance(answer.verdict, Violated):
            console().print(
                Text(f"{answer.id} {answer.name}: ".lstrip(), style="bold").append(
                    _way(answer.verdict.trace), style="default"
                )
            )
            if trace:
                console().print(told(answer.verdict.trace))
    counts = f"{report.states:,} states, {report.edges:,} edges, depth {report.depth}; " if report.states else ""
    line = coverage_line(report)
    console().print(f"\n{counts}engine {report.engine}, {report.seconds:.2f} s, {report.peak_bytes >> 20} MiB")
    if line:
        console().print(line)
    for finding in report.vacuous:
        console().print(f"vacuous: {finding}")


def _way(trace: Trace) -> str:
    """The steps of a counterexample in one line, and where it goes round."""
    steps = " → ".join(trace.labels) or "already in the initial state"
    if trace.loop is None:
        return steps
    if trace.loop == trace.length:
        return f"{steps}; then nothing is enabled"
    return f"{steps}; then again from step {trace.loop + 1}"
