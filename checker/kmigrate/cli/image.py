"""`kmigrate image`: look at images of processes, verify and compare them, without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.impl import GEOMETRIES
from kmigrate.impl.image import Decoder, Image, ImageRefused, Shape
from kmigrate.impl.image.checkpoint import Listed, listing, load, newest, raw
from kmigrate.impl.image.difference import (
    SectionDifference,
    field_differences,
    manifest_fields,
    ranges,
    section_differences,
    uarea_field,
)
from kmigrate.impl.image.errors import NotAnImage
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mstate

ROW_BYTES = 16
"""Bytes in a line of a hexdump."""

images = typer.Typer(help="Look at images of processes, verify and compare them, without running anything.")
app.add_typer(images, name="image")

File = Annotated[Path, typer.Argument(help="An image.")]


def _line(text: object, style: str = "") -> None:
    """Print one line as it is: names in images are not ours, and neither markup nor emoji."""
    console().print(Text(str(text), style=style), soft_wrap=True)


def _shown(path: Path) -> str:
    """A file's name as it can be printed: whatever is not text in it is escaped."""
    name = str(path)
    return name if name.isprintable() else ascii(name)


# -- inspect -------------------------------------------------------------------------------------------


@images.command()
def inspect(file: File, json_: JsonFlag = False) -> None:
    """Show what an image says, as far as it can be read; exit 1 if it is refused further on."""
    data = raw(file)
    decoder = Decoder()
    refusal = _read(decoder, data)
    if isinstance(refusal, NotAnImage):
        raise WrongUse(f"{_shown(file)}: {refusal}")
    if json_:
        print_json({"file": _shown(file), "bytes": len(data), **_document(decoder, refusal, data)})
    else:
        _tell(file, decoder, refusal, len(data))
    raise typer.Exit(1 if refusal else 0)


def _read(decoder: Decoder, data: bytes) -> ImageRefused | None:
    """Read as far as it goes, piece by piece, so that what comes before a flaw is seen."""
    try:
        decoder.feed(data[:HEADER_BYTES])
        for at in range(HEADER_BYTES, len(data), ROW_BYTES):
            decoder.feed(data[at : at + ROW_BYTES])
        decoder.end()
    except ImageRefused as refusal:
        return refusal
    return None


def _document(decoder: Decoder, refusal: ImageRefused | None, data: bytes) -> dict[str, Any]:
    header, manifest = decoder.header, decoder.manifest
    document: dict[str, Any] = {
        "format": "kmigrate-image",
        "version": 1,
        "verdict": "refused" if refusal else "whole",
        "refusal": _refusal(refusal),
    }
    if header is not None:
        document["header"] = {
            "major": header.major,
            "minor": header.minor,
            "must": header.must,
            "may": header.may,
            "flags": header.flags,
            "manifest_bytes": header.manifest_bytes,
        }
    if manifest is not None:
        document["manifest"] = manifest_fields(manifest)
        document["sections"] = list(_sections(decoder))
    if decoder.complete:
        document["digest"] = data[-32:].hex()
    return document


def _refusal(refusal: ImageRefused | None) -> dict[str, Any] | None:
    if refusal is None:
        return None
    return {
        "kind": type(refusal).__name__,
        "part": refusal.part,
        "offset": refusal.offset,
        "expected": str(refusal.expected),
        "found": str(refusal.found),
        "message": str(refusal),
    }


def _sections(decoder: Decoder) -> Iterator[dict[str, Any]]:
    assert decoder.header is not None
    assert decoder.manifest is not None
    offset = HEADER_BYTES + decoder.header.manifest_bytes
    for entry in decoder.manifest.sections:
        mstate = ORDER[entry.number]
        yield {
            "section": mstate.value,
            "version": entry.version,
            "offset": offset,
            "bytes": entry.length,
            "crc32": f"{entry.checksum:08x}",
            "pages": list(decoder.manifest.pages(mstate)),
            "verified": mstate in decoder.sections,
        }
        offset += entry.length


def _tell(file: Path, decoder: Decoder, refusal: ImageRefused | None, size: int) -> None:
    header, manifest = decoder.header, decoder.manifest
    version = f", version {header.major}.{header.minor}" if header else ""
    _line(f"{_shown(file)}: {size:,} bytes{version}")
    if manifest is not None:
        for name, value in manifest_fields(manifest).items():
            _line(f"  {name:<20} {value}")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("section", "at", "bytes", "crc32", "pages", "read"):
            table.add_column(heading, justify="right" if heading in ("at", "bytes") else "left")
        for row in _sections(decoder):
            verified = "verified" if row["verified"] else "not"
            pages = ranges(tuple(row["pages"])) if row["pages"] else ""
            table.add_row(row["section"], str(row["offset"]), f"{row['bytes']:,}", row["crc32"], pages, verified)
        console().print(table)
    _line(refusal or "whole: checksums and digest are right", "red" if refusal else "")


# -- verify --------------------------------------------------------------------------------------------


@images.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="Images.")],
    kernel: Annotated[
        str | None, typer.Option(help=f"Must be made under this kernel: {', '.join(GEOMETRIES)}.")
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """Read images whole and check everything; exit 1 if one is refused."""
    if kernel is not None and kernel not in GEOMETRIES:
        raise WrongUse(f"no kernel is called {kernel!r}; there are {', '.join(GEOMETRIES)}")
    shape = None if kernel is None else Shape.of(Placement.of(GEOMETRIES[kernel]))
    rows: list[dict[str, Any]] = []
    for file in files:
        try:
            image: Image | None = load(file, shape=shape)
            refusal = None
        except ImageRefused as error:
            image, refusal = None, error
        resumed = image is not None and image.manifest.incarnation < newest(file.resolve().parent, image.manifest)
        verdict = "refused" if refusal else "whole"
        rows.append({"file": _shown(file), "verdict": verdict, "resumed": resumed, "refusal": _refusal(refusal)})
        if not json_:
            said = refusal or ("whole; its state has been resumed already" if resumed else "whole")
            _line(f"{_shown(file)}: {said}", "red" if refusal else "")
    if json_:
        print_json(rows)
    raise typer.Exit(1 if any(row["refusal"] for row in rows) else 0)


# -- diff ----------------------------------------------------------------------------------------------


@images.command()
def diff(
    first: File,
    second: File,
    lines: Annotated[int, typer.Option(min=0, help="Lines of hexdump for each difference.")] = 4,
    json_: JsonFlag = False,
) -> None:
    """Show in what two images differ: manifest, sections, page by page; exit 1 if they do."""
    one, other = _load(first), _load(second)
    fields = field_differences(one.manifest, other.manifest)
    sections = list(section_differences(one, other))
    if json_:
        print_json(
            {
                "same": not fields and not sections,
                "manifest": [{"field": f.field, "first": f.first, "second": f.second} for f in fields],
                "sections": [_difference(difference) for difference in sections],
            }
        )
    else:
        for field in fields:
            _line(f"manifest {field.field}: {field.first} | {field.second}")
        for difference in sections:
            _tell_difference(difference, one, lines)
        if not fields and not sections:
            _line("the same")
    raise typer.Exit(1 if fields or sections else 0)


def _load(file: Path) -> Image:
    try:
        return load(file)
    except ImageRefused as refusal:
        raise WrongUse(f"{_shown(file)}: {refusal}") from None


def _difference(difference: SectionDifference) -> dict[str, Any]:
    where = difference.offsets
    return {
        "section": difference.section.value,
        "page": difference.page,
        "in_first": difference.first is not None,
        "in_second": difference.second is not None,
        "bytes": len(where),
        "first_offset": where[0] if where else None,
    }


def _tell_difference(difference: SectionDifference, image: Image, lines: int) -> None:
    page = "" if difference.page is None else f" page {difference.page}"
    name = f"{difference.section.value}{page}"
    first, second, where = difference.first, difference.second, difference.offsets
    if first is None or second is None:
        _line(f"{name}: only in the {'second' if first is None else 'first'} image")
        return
    field = uarea_field(image.manifest, where[0]) if difference.section is Mstate.UAREA else None
    named = f" ({field})" if field else ""
    plural = "byte differs" if len(where) == 1 else "bytes differ"
    _line(f"{name}: {len(where):,} {plural}, the first at {where[0]}{named}")
    rows = sorted({at // ROW_BYTES * ROW_BYTES for at in where})
    for at in rows[:lines]:
        for sign, content in (("-", first), ("+", second)):
            row = content[at : at + ROW_BYTES]
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            _line(f"  {sign} {at:05x}  {row.hex(' '):<47}  {text}")
    if len(rows) > lines > 0:
        _line(f"  and {len(rows) - lines:,} lines more")


# -- ls ------------------------------------------------------------------------------------------------


@images.command()
def ls(
    directory: Annotated[Path, typer.Argument(help="A directory.")] = Path(),
    json_: JsonFlag = False,
) -> None:
    """List the images in a directory and verify each; exit 1 if one is refused."""
    found = list(listing(directory))
    if json_:
        print_json([_row(one) for one in found])
    elif not found:
        _line(f"no image in {_shown(directory)}")
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("file", "container", "name", "life", "mode", "bytes", "state"):
            table.add_column(heading, justify="right" if heading in ("container", "life", "bytes") else "left")
        for one in found:
            row = _row(one)
            values = [row[key] for key in ("file", "container", "name", "incarnation", "mode", "bytes", "state")]
            table.add_row(*(Text("" if value is None else str(value)) for value in values))
        console().print(table)
        for one in found:
            if one.refusal is not None:
                _line(f"{_shown(Path(one.path.name))}: {one.refusal}", "red")
    raise typer.Exit(1 if any(one.refusal for one in found) else 0)


def _row(one: Listed) -> dict[str, Any]:
    manifest = None if one.image is None else one.image.manifest
    return {
        "file": _shown(Path(one.path.name)),
        "container": manifest and manifest.container,
        "name": manifest and manifest.name,
        "incarnation": manifest and manifest.incarnation,
        "mode": manifest and manifest.mode.value,
        "bytes": one.size_bytes,
        "state": "refused" if one.refusal else "resumed" if one.stale else "whole",
        "refusal": _refusal(one.refusal),
    }
