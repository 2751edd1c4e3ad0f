"""The page on the format: its tables are those of the code, and its code prints what it shows."""

import pytest

from impl.image.page import PAGE, TABLES, shown
from support.pages import run


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_page_is_that_of_the_code(name: str) -> None:
    assert shown()[name] == TABLES[name](), "write it anew: python tests/impl/image/page.py"


def test_every_block_of_the_page_runs_and_prints_what_is_shown() -> None:
    run(PAGE)
