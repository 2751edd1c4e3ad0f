"""The table of sections in a manifest: one line for each section, all of them, once each, in order.

Source: ours.
"""

from dataclasses import dataclass
from zlib import crc32

from kmigrate.impl.image.errors import (
    SectionDoubled,
    SectionMissing,
    SectionOutOfOrder,
    UnknownSection,
    UnsupportedVersion,
)
from kmigrate.impl.image.reader import Reader, number_bytes, place
from kmigrate.impl.image.sections import ORDER, SECTION_VERSION
from kmigrate.spec.vocabulary import Mstate

_COUNT_BYTES = 2
_COLUMNS = (2, 2, 4, 4)
"""Bytes of number, version, length and checksum."""
_WHAT = "sections"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table of sections: the section's number, version, length, and CRC-32."""

    number: int
    version: int
    length: int
    checksum: int

    @classmethod
    def of(cls, mstate: Mstate, content: bytes) -> "Entry":
        """The line of a section."""
        return cls(ORDER.index(mstate), SECTION_VERSION, len(content), crc32(content))


def encode_table(entries: tuple[Entry, ...]) -> bytes:
    """The table as bytes, whatever it says. Raises BadValue for what has no bytes."""
    parts = [number_bytes(_WHAT, len(entries), _COUNT_BYTES)]
    for entry in entries:
        values = (entry.number, entry.version, entry.length, entry.checksum)
        parts += [number_bytes(_WHAT, value, size) for value, size in zip(values, _COLUMNS, strict=True)]
    return b"".join(parts)


def length_at(table_at: int, number: int) -> int:
    """Where the length of a section stands, in a table that begins at a byte."""
    return table_at + _COUNT_BYTES + sum(_COLUMNS) * number + sum(_COLUMNS[:2])


def decode_table(reader: Reader) -> tuple[Entry, ...]:
    """Read the table.

    Raises  Truncated, UnknownSection, SectionDoubled, SectionMissing, SectionOutOfOrder, UnsupportedVersion
    """
    rows = [
        (reader.at, Entry(*(reader.number(_WHAT, size) for size in _COLUMNS)))
        for _ in range(reader.number(_WHAT, _COUNT_BYTES))
    ]
    numbers = [entry.number for _, entry in rows]
    for awaited, (at, entry) in enumerate(rows):
        _check_number(numbers, awaited, at)
        if entry.version != SECTION_VERSION:
            name = ORDER[entry.number].value
            raise UnsupportedVersion(f"section {name}", at + _COLUMNS[0], SECTION_VERSION, entry.version)
    if len(rows) < len(ORDER):
        raise SectionMissing(place(_WHAT), reader.at, _named(len(rows)), "the end of the table")
    return tuple(entry for _, entry in rows)


def _check_number(numbers: list[int], awaited: int, at: int) -> None:
    """Check one line, all lines before it being right."""
    number = numbers[awaited]
    if number == awaited < len(ORDER):
        return
    if number >= len(ORDER):
        raise UnknownSection(place(_WHAT), at, _named(awaited), number)
    if number < awaited:
        raise SectionDoubled(place(_WHAT), at, _named(awaited), f"{_named(number)} again")
    cause = SectionOutOfOrder if awaited in numbers else SectionMissing
    raise cause(place(_WHAT), at, _named(awaited), _named(number))


def _named(number: int) -> str:
    return f"{number} ({ORDER[number].value})" if number < len(ORDER) else "the end of the table"
