"""The thesis's figures 14, 15 and 16, drawn from what the machine has measured: SVG and PNG, byte for byte the same
whenever the numbers are.

Drawn with matplotlib, which is imported only when something is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

CYCLES_PER_MS = 400_000

_WIDTH, _HEIGHT = 6.4, 4.0
_SALT = "kmigrate"


def figure_14(counts: Mapping[str, tuple[int, int]], goal: Path) -> tuple[Path, ...]:
    """Misses of kernel data when threads are created and joined: (with the UArea, without it) by region."""

    def draw(axes: Any) -> None:
        places = range(len(counts))
        for number, label in enumerate(("with the UArea", "without it")):
            values = [pair[number] for pair in counts.values()]
            bars = axes.bar([place + 0.4 * number - 0.2 for place in places], values, 0.38, label=label)
            axes.bar_label(bars, fmt="{:,.0f}", fontsize=7)
        axes.set_xticks(list(places), [name.replace(" ", "\n", 1) for name in counts])
        axes.set_ylabel("misses of loads, data caches")

    return _draw(goal, "Creating and joining threads (figure 14: data misses only)", draw)


def figure_15(
    cycles: Mapping[tuple[int, int], int],
    measured: Mapping[tuple[int, int], int],
    equation: Mapping[tuple[int, int], float],
    goal: Path,
) -> tuple[Path, ...]:
    """Down time over threads, a line for each number of pages; keys are (threads, pages)."""
    return _downtimes(cycles, measured, equation, goal, by_threads=True)


def figure_16(
    cycles: Mapping[tuple[int, int], int],
    measured: Mapping[tuple[int, int], int],
    equation: Mapping[tuple[int, int], float],
    goal: Path,
) -> tuple[Path, ...]:
    """Down time over pages, a line for every fourth number of threads; keys are (threads, pages)."""
    return _downtimes(cycles, measured, equation, goal, by_threads=False)


def _downtimes(
    cycles: Mapping[tuple[int, int], int],
    measured: Mapping[tuple[int, int], int],
    equation: Mapping[tuple[int, int], float],
    goal: Path,
    *,
    by_threads: bool,
) -> tuple[Path, ...]:
    along, fixed = (0, 1) if by_threads else (1, 0)
    lines = sorted({cell[fixed] for cell in cycles})
    if not by_threads:
        lines = [line for line in lines if line % 4 == 1]

    def draw(axes: Any) -> None:
        for number, line in enumerate(lines):
            colour = f"C{number}"
            mine = sorted(cell for cell in cycles if cell[fixed] == line)
            where = [cell[along] for cell in mine]
            axes.plot(where, [cycles[cell] / CYCLES_PER_MS for cell in mine], "-", color=colour, label=str(line))
            axes.plot(where, [equation[cell] for cell in mine], ":", color=colour, linewidth=0.8)
            points = [cell for cell in mine if cell in measured]
            axes.plot(
                [cell[along] for cell in points],
                [measured[cell] / CYCLES_PER_MS for cell in points],
                "o",
                color=colour,
                markersize=4,
            )
        axes.set_xlabel("threads" if by_threads else "pages")
        axes.set_ylabel("down time, ms")

    what = ("threads", "pages", 15) if by_threads else ("pages", "threads", 16)
    title = f"Down time over {what[0]} (figure {what[2]}): machine —, measured ●, equation 6.1 ···"
    return _draw(goal, title, draw, legend=what[1])


def _draw(goal: Path, title: str, draw: Callable[[Any], None], legend: str = "") -> tuple[Path, ...]:
    """Draw one picture and write it as SVG and as PNG; the files."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    files: Sequence[tuple[Path, dict[str, Any]]] = (
        (goal.with_suffix(".svg"), {"Date": None}),
        (goal.with_suffix(".png"), {"Software": None}),
    )
    with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(title, fontsize=8)
        axes.grid(visible=True, linewidth=0.3)
        axes.legend(title=legend or None, fontsize=7, title_fontsize=7)
        for path, metadata in files:
            figure.savefig(path, metadata=metadata, dpi=120)
    return tuple(path for path, _ in files)
