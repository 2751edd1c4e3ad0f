"""Campaign reports for machines and for people: JUnit for a CI server, one HTML page for a reader at nine."""

from __future__ import annotations

from xml.etree import ElementTree

from jinja2 import Environment

from kmigrate.conformance.campaigns.adequacy import Adequacy
from kmigrate.conformance.campaigns.findings import CampaignReport

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>kmigrate campaign: {{ report.verdict }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse }
td, th { padding: .15rem .7rem; text-align: left; border-bottom: 1px solid #ddd }
td.n { text-align: right; font-variant-numeric: tabular-nums } td.none { color: #b00 }
pre { background: #f5f5f5; padding: .7rem; overflow-x: auto; font-size: 13px }
.conforms { color: #070 } .wrong { color: #b00 }
</style></head><body>
<h1>{{ report.variant }}:
<span class="{{ 'conforms' if report.exit_code == 0 else 'wrong' }}">{{ report.verdict }}</span></h1>
<p>{{ '{:,}'.format(report.traces) }} runs of seed {{ report.seed }}, {{ '{:,}'.format(report.events) }} events,
{{ '{:,}'.format(report.steps) }} judged steps{% if report.interrupted %}; interrupted{% endif %}.
Hash <code>{{ report.hash }}</code>.
{% if report.again %}{{ report.again }} runs were made again in another process under another hash seed;
{{ report.nondeterministic | length }} differed.{% endif %}</p>
{% if report.exhibits %}<h2 class="wrong">Known hazards that were seen</h2>
<table><tr><th></th><th>hazard</th><th>where</th><th>runs</th><th>file</th></tr>
{% for one in report.exhibits %}<tr><td>{{ one.hazard }}</td><td>{{ one.title }}</td><td>{{ one.where }}</td>
<td class="n">{{ report.sightings[one.hazard] }}</td>
<td>{% if one.file %}<code>{{ one.file }}</code>{% endif %}</td></tr>
{% endfor %}</table>{% endif %}
{% for finding in report.findings %}
<h2 class="wrong">{{ finding.signature | join(' ') }}</h2>
<p>{{ report.failures[finding.signature] }} runs, first in run {{ finding.first }};
shrunk to {{ finding.items }} items and {{ finding.deviations }} departures from the ordinary course.
{% if finding.file %}<br><code>kmigrate replay {{ finding.file }} --explain</code>{% endif %}</p>
<pre>{{ finding.nonconformance.told() }}</pre>
{% endfor %}
<h2>Coverage</h2>
<p>{{ '{:,}'.format(report.coverage.states | length) }} states,
{{ '{:,}'.format(report.coverage.edges | length) }} edges and
{{ report.coverage.pairs | length }} consecutive pairs of actions of the models, all shapes together.
{% if report.summary %}At the small scope {{ report.summary.edges }} of {{ report.summary.all_edges }} edges
({{ '%.1f' % report.summary.percent }} %), {{ report.summary.states }} of {{ report.summary.all_states }} states.
{% if report.toured %}{{ report.toured.tours }} tours go there, {{ report.toured.fresh }} of them on fresh
machines.{% endif %}
{% endif %}
{% if report.never_taken %}Never taken: {{ report.never_taken | join(', ') }}.{% endif %}</p>
{% if report.scenarios %}<table><tr><th>scenario</th><th>progress</th></tr>
{% for name, wanted in report.scenarios.items() %}{% set done = report.coverage.progress.get(name, 0) %}
<tr><td>{{ name }}</td>
<td class="n {{ 'none' if done < wanted | length }}">{{ done }} of {{ wanted | length }}</td></tr>
{% endfor %}</table>{% endif %}
{% if phases %}<h2>Disturbances by phase</h2>
<table><tr><th></th>{% for role, phase in phases %}<th>{{ role }}<br>{{ phase }}</th>{% endfor %}</tr>
{% for kind in kinds %}<tr><th>{{ kind }}</th>{% for role, phase in phases %}
{% set times = report.coverage.cells[(kind, role, phase)] %}
<td class="n {{ 'none' if not times }}">{{ times }}</td>{% endfor %}</tr>{% endfor %}</table>{% endif %}
<h2>Actions</h2>
<table>{% for action, times in report.actions | dictsort %}
<tr><td>{{ action }}</td><td class="n">{{ '{:,}'.format(times) }}</td></tr>{% endfor %}</table>
</body></html>
"""


def campaign_page(report: CampaignReport) -> str:
    """One HTML page that needs nothing else."""
    kinds = list(dict.fromkeys(kind for kind, _, _ in report.cells))
    phases = list(dict.fromkeys((role, phase) for _, role, phase in report.cells))
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_PAGE)
    return page.render(report=report, kinds=kinds, phases=phases)


def campaign_junit(report: CampaignReport) -> str:
    """One test case for each way to fail and each known hazard, for determinism, and for the coverage asked for."""
    cases: list[tuple[str, str, str]] = [
        (" ".join(finding.signature), str(finding.nonconformance), finding.nonconformance.told())
        for finding in report.findings
    ]
    cases += [
        (f"{one.hazard} {one.title}", one.where, f"kmigrate replay {one.file}" if one.file else "")
        for one in report.exhibits
    ]
    if not cases:
        cases.append(("conforms", "", ""))
    different = ", ".join(str(number) for number in report.nondeterministic)
    cases.append(("deterministic", f"runs that differ elsewhere: {different}" if different else "", ""))
    if report.summary is not None:
        missed = f"{report.summary.percent:.1f} % of the edges" if report.gate_missed else ""
        cases.append(("coverage", missed, ""))
    return _junit("kmigrate.campaign." + report.variant, cases, report.seconds)


def adequacy_junit(score: Adequacy) -> str:
    """One test case for each mutant."""
    cases = [
        (trial.mutant.name, "" if trial.caught else "not caught", trial.mutant.difference())
        for trial in (*score.machines, *score.judges)
    ]
    cases += [
        (f"benign {t.mutant.name}", "a false alarm" if t.caught else "", t.mutant.difference())
        for t in score.benign
    ]
    return _junit("kmigrate.mutants", cases, 0.0)


def _junit(name: str, cases: list[tuple[str, str, str]], seconds: float) -> str:
    failures = sum(1 for _, message, _ in cases if message)
    suite = ElementTree.Element(
        "testsuite", name=name, tests=str(len(cases)), failures=str(failures), time=f"{seconds:.3f}"
    )
    for title, message, text in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=title)
        if message:
            failure = ElementTree.SubElement(case, "failure", message=message)
            failure.text = text
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
