"""The tutorial: its code runs, and prints what the page shows."""

from support.pages import DOCS, run


def test_every_block_of_the_tutorial_runs_and_prints_what_is_shown() -> None:
    run(DOCS / "tutorial.md")
