"""The table of sizes: every line can be made, names are unambiguous, and the page of verdicts has all of them."""

import re
from pathlib import Path

import pytest

from kmigrate.checker import check
from kmigrate.spec.catalogue import MODELS
from kmigrate.spec.sizes import NOT_EXPLORED, SIZES, TABLES, Size, lines_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verdicts.md"


def title(size: Size) -> str:
    return "-".join(word for word in (size.model, size.variant, size.name, size.table) if word)


@pytest.mark.parametrize("size", SIZES, ids=title)
def test_a_line_can_be_made_and_knows_its_properties(size: Size) -> None:
    model = size.instance()
    names = {asked.name for asked in model.schema.properties} | {"deadlock"}
    assert size.fails <= names
    assert size.table in TABLES


def test_no_two_lines_of_a_table_have_one_name() -> None:
    assert len({(size.model, size.variant, size.name) for size in SIZES}) == len(SIZES)


def test_every_model_of_the_protocol_is_in_the_quick_table_in_both_variants() -> None:
    quick = {(size.model, size.variant) for size in SIZES if size.table == "quick"}
    for name, entry in MODELS.items():
        if entry.title.startswith("L"):
            assert {(name, variant or None) for variant in entry.variants} <= quick


def test_what_is_not_explored_is_said_of_every_model_with_bounds() -> None:
    standard = {size.model for size in SIZES if size.table == "standard"}
    assert standard <= set(NOT_EXPLORED) <= set(MODELS)


def test_a_table_has_the_lines_of_those_before_it() -> None:
    quick, standard, long = (lines_of(table) for table in TABLES)
    assert set(map(title, quick)) < set(map(title, standard)) < set(map(title, long)) == set(map(title, SIZES))


def test_the_page_of_verdicts_has_every_line_of_the_standard_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for size in lines_of("standard"):
        section = text.split(f"\n## {size.model}\n", 1)[1].split("\n## ", 1)[0]
        assert re.search(rf"^\| {size.variant or ''} \| {size.name} \|", section, re.MULTILINE), title(size)
        for name in size.fails:
            assert re.search(rf"`{name}` \| {size.variant} \| .*violated", section), f"{title(size)}: {name}"
    assert "undetermined" not in text


def test_the_machine_s_small_size_is_what_campaigns_cover() -> None:
    (small,) = [size for size in SIZES if (size.model, size.name) == ("machine", "small")]
    edges = check(small.instance(), engine="native").edges
    assert edges is not None
    assert edges <= 200_000
