"""The tables of docs/image.md, made from the code; `python tests/impl/image/page.py` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.image import errors
from kmigrate.impl.image.decoder import DIGEST_BYTES
from kmigrate.impl.image.errors import ImageRefused
from kmigrate.impl.image.header import HEADER_BYTES, MANIFEST_MAX_BYTES
from kmigrate.impl.image.manifest import FIELDS, LISTS, TEXT_MAX_BYTES, TEXTS
from kmigrate.impl.image.sections import KERNEL_HASH_BYTES, ORDER, PAGED, Shape, payload_bytes
from kmigrate.impl.kernel.placement import Placement

PAGE = Path(__file__).resolve().parents[3] / "docs" / "image.md"
_TABLE = re.compile(r"<!-- table: (?P<name>\w+) -->\n(?P<text>.*?)<!-- end -->\n", re.DOTALL)


def table(headings: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def layout() -> str:
    return table(
        ("part", "bytes"),
        [
            ("header", HEADER_BYTES),
            ("manifest", f"as the header says, at most {MANIFEST_MAX_BYTES:,}"),
            *((f"section `{mstate.value}`", "as the manifest says") for mstate in ORDER),
            ("digest", f"{DIGEST_BYTES}: blake2b over everything before it"),
        ],
    )


def manifest() -> str:
    rows: list[tuple[object, ...]] = [(0, KERNEL_HASH_BYTES, "`kernel`", "hash of the kernel's layout", "")]
    at = KERNEL_HASH_BYTES
    for field in FIELDS:
        rows.append((at, field.size, f"`{field.name}`", field.meaning, f"{field.low}..{field.high}"))
        at += field.size
    rows += [("", "1 + n", f"`{text}`", "UTF-8, printable", f"n at most {TEXT_MAX_BYTES}") for text in TEXTS]
    rows += [("", "2 + 2n", f"`{pages}`", "indices, ascending", "") for pages in LISTS]
    rows += [
        ("", "2 + 12n", "`sections`", "number u16, version u16, length u32, CRC-32 u32", f"n is {len(ORDER)}"),
        ("", "2 + ...", "`extensions`", "bit u16, length u16, content; one for each may-ignore bit", "ascending"),
        ("", 4, "CRC-32", "of the manifest up to here", ""),
    ]
    return table(("byte", "size", "field", "what", "may be"), rows)


def sections() -> str:
    shape = Shape.of(Placement.of(MPPA256))
    rows: list[tuple[object, ...]] = []
    for number, mstate in enumerate(ORDER):
        one = shape.section_bytes(mstate, 1, 1)
        rows.append((number, f"`{mstate.value}`", f"{one:,} a page" if mstate in PAGED else f"{one:,}"))
    rows.append(("", "all, no page", f"{payload_bytes(0, 0):,}"))
    return table(("number", "section", "bytes on the MPPA-256"), rows)


def refusals() -> str:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ImageRefused)]
    rows = [
        (f"`{kind.__name__}`", (kind.__doc__ or "").split("\n", 1)[0]) for kind in kinds if kind is not ImageRefused
    ]
    return table(("refusal", "why"), rows)


TABLES = {"layout": layout, "manifest": manifest, "sections": sections, "refusals": refusals}


def shown() -> dict[str, str]:
    """The tables that the page shows."""
    return {match["name"]: match["text"] for match in _TABLE.finditer(PAGE.read_text(encoding="utf-8"))}


def main() -> None:
    """Write the page with today's tables."""

    def today(match: re.Match[str]) -> str:
        return f"<!-- table: {match['name']} -->\n{TABLES[match['name']]()}<!-- end -->\n"

    PAGE.write_text(_TABLE.sub(today, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
