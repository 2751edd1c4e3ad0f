"""The figures are the same bytes whenever the numbers are, and the page says what it was given."""

from __future__ import annotations

from pathlib import Path

from kmigrate.report.experiments import Findings, experiments_page
from kmigrate.report.figures import figure_14, figure_15, figure_16

CELLS = [(threads, pages) for threads in (1, 5, 15, 17) for pages in (0, 1, 32)]
DOWN = {cell: 8_000_000 + 420_000 * cell[0] + 200_000 * cell[1] + 20_000_000 * (cell[0] > 15) for cell in CELLS}
EQUATION = {(threads, pages): 17 / 32 * pages + threads + 18 for threads, pages in CELLS}
MEASURED = {(1, 0): 8_504_200, (15, 32): 20_000_000, (17, 0): 35_000_000}


def test_figures_are_reproducible_in_both_formats(tmp_path: Path) -> None:
    def drawn(folder: Path) -> list[bytes]:
        folder.mkdir()
        paths = [
            *figure_14({"fields of the UArea": (10, 12), "system call boards": (3, 3)}, folder / "14"),
            *figure_15(DOWN, MEASURED, EQUATION, folder / "15"),
            *figure_16(DOWN, MEASURED, EQUATION, folder / "16"),
        ]
        assert [path.name for path in paths] == ["14.svg", "14.png", "15.svg", "15.png", "16.svg", "16.png"]
        return [path.read_bytes() for path in paths]

    first = drawn(tmp_path / "first")
    assert first == drawn(tmp_path / "second")
    assert all(svg.startswith(b"<?xml") for svg in first[::2])
    assert all(png.startswith(b"\x89PNG") for png in first[1::2])
    assert b"equation 6.1" in first[2]


def test_the_page_computes_errors_and_says_what_is_fitted() -> None:
    found = Findings(
        parameters=[("tick_cycles", 31_203, "fitted", "the jump"), ("step_cycles", 500, "assumed", "a sum")],
        misses={"fields of the UArea": (100, 10, 12)},
        totals=((200, 50), (200, 52)),
        downtimes=DOWN,
        traffic=dict.fromkeys(CELLS, (27104, 10)),
        measured=MEASURED,
        equation=EQUATION,
        equation_bytes=dict.fromkeys(CELLS, 23_008),
        hardened=({(1, 0): (23_008, 9)}, (4_128, 2)),
        parallel={2: 45_000_000, 16: 45_090_000},
        hops=[0, 1, 0],
        ring=(40_000_000, True, True),
    )
    assert found.fitted == 1
    assert found.errors[1, 0] == 8_420_000 / 8_504_200 - 1
    assert found.worst_error == max(abs(error) for error in found.errors.values())
    page = experiments_page(found)
    assert "| 1 | 0 | 21.26 | 21.05 | -0.99 % | 19.00 |" in page
    assert "sends 4,096 B" in page
    assert "differ from one by 0.20 %" in page
    assert "c0 → c1 → c0, in 100.00 ms" in page
    assert "The number of quanta is fitted" in page
