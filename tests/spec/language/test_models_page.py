"""The page on writing models: its code runs, and prints what the page shows."""

from support.pages import DOCS, run


def test_every_block_of_the_page_runs_and_prints_what_is_shown() -> None:
    run(DOCS / "models.md")
