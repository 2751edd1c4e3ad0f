"""What the self-checking programs must come to, computed once more in Python, over unbounded integers.

The CRC-32 is that of the standard library and the sorting Python's own; nothing is shared with the C sources but
the description of the work.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

WORD = 0xFFFFFFFF


def signed16(number: int) -> int:
    return (number & 0xFFFF ^ 0x8000) - 0x8000


def words(numbers: list[int]) -> bytes:
    return b"".join(struct.pack("<I", number & WORD) for number in numbers)


# -- workload ----------------------------------------------------------------------------------------


def noise(seed: int) -> Iterator[int]:
    while True:
        seed = (seed * 1664525 + 1013904223) & WORD
        yield seed >> 16


def summing(seed: int) -> int:
    stream = noise(seed)
    return zlib.crc32(bytes(next(stream) & 255 for _ in range(512)))


def sorting(seed: int) -> int:
    stream = noise(seed)
    return zlib.crc32(words(sorted(next(stream) - 32768 for _ in range(200))))


def multiplying(seed: int) -> int:
    stream, n = noise(seed), range(9)
    a = [[next(stream) % 201 - 100 for _ in n] for _ in n]
    power = a
    for _ in range(4):
        power = [[sum(power[i][j] * a[j][k] for j in n) for k in n] for i in n]
    return zlib.crc32(words([number for row in power for number in row]))


def sieving(seed: int) -> int:
    """A bit for each odd number from 3 to 16,383, set if it is no prime."""
    composite = bytearray(1024)
    for i in range(8191):
        number = 2 * i + 3
        if any(number % divisor == 0 for divisor in range(3, int(number**0.5) + 1, 2)):
            composite[i // 8] |= 1 << i % 8
    return zlib.crc32(bytes(composite), seed)


def workload(rounds: int) -> int:
    """The checksum of the workload after some rounds."""
    results = []
    for number, work in enumerate((summing, sorting, multiplying, sieving), 1):
        result = number
        for _ in range(rounds):
            result = work(result)
        results.append(result)
    return zlib.crc32(words(results))


# -- benchmark ---------------------------------------------------------------------------------------


class Crc16:
    """CRC-16/ARC: polynomial 0x8005, both ways reflected, from 0; a table where the program shifts bits."""

    def __init__(self) -> None:
        self.value = 0
        self._table = []
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ 0xA001 * (byte & 1)
            self._table.append(byte)

    def add(self, content: bytes) -> None:
        for byte in content:
            self.value = self.value >> 8 ^ self._table[(self.value ^ byte) & 255]

    def word(self, number: int) -> None:
        self.add(words([number]))


def lists(crc: Crc16) -> None:
    seed, nodes = 1, []
    for place in range(48):
        seed = (seed * 1103515245 + 12345) & WORD
        nodes.append((signed16(seed >> 16), place))
    for wanted in range(16):
        crc.word(nodes[wanted * 3][0])
    # The list is turned round an even number of times before it is sorted, and sorting keeps the order of equals.
    for order in (sorted(nodes, key=lambda node: node[0]), nodes):
        for value, place in order:
            crc.word((value & 0xFFFF) << 16 | place)


def matrices(crc: Crc16) -> None:
    n, seed = range(9), 7
    left = [[0] * 9 for _ in n]
    right = [[0] * 9 for _ in n]
    for i in n:
        for k in n:
            seed = (seed * 1103515245 + 12345) & WORD
            left[i][k] = seed >> 20 & 255
            right[i][k] = (seed >> 10 & 255) - 128
    for number in (-3, -1, 1, 3):
        moved = [[entry + number for entry in row] for row in left]
        products = [[[moved[i][j] * right[j][k] for j in n] for k in n] for i in n]
        fields = [
            [[((p & WORD) >> 2 & 15) * ((p & WORD) >> 5 & 127) for p in terms] for terms in row] for row in products
        ]
        crc.add(words([entry * number for row in moved for entry in row]))
        crc.add(words([sum(terms) for row in products for terms in row]))
        crc.add(words([sum(terms) for row in fields for terms in row]))


NUMBERS = "+17,-4.25,993,1e9,.5,x7,2.5E-3,--1,600,0.0e+0,12e,7.,-,3.14159,1.2.3,8E8,+.75,5,42,0x2A\0"
STATES = ("start", "sign", "whole", "point", "fraction", "mark", "mark sign", "power", "invalid")
ARCS = {
    ("start", "digit"): "whole",
    ("start", "sign"): "sign",
    ("start", "."): "point",
    ("sign", "digit"): "whole",
    ("sign", "."): "point",
    ("whole", "digit"): "whole",
    ("whole", "."): "point",
    ("whole", "mark"): "mark",
    ("point", "digit"): "fraction",
    ("fraction", "digit"): "fraction",
    ("fraction", "mark"): "mark",
    ("mark", "digit"): "power",
    ("mark", "sign"): "mark sign",
    ("mark sign", "digit"): "power",
    ("power", "digit"): "power",
}


def kind(character: str) -> str:
    if character in "0123456789":
        return "digit"
    return {"+": "sign", "-": "sign", "e": "mark", "E": "mark"}.get(character, character)


def scan(crc: Crc16, text: str) -> None:
    ends = dict.fromkeys(STATES, 0)
    entries = dict.fromkeys(STATES, 0)
    for number in text.replace("\0", ",").split(",")[:-1]:
        state = "start"
        for character in number:
            state = ARCS.get((state, kind(character)), "invalid")
            entries[state] += 1
        ends[state] += 1
    for state in STATES:
        crc.word(ends[state] << 16 | entries[state])


def states(crc: Crc16) -> None:
    scan(crc, NUMBERS)
    for stride in (5, 8, 11):
        damaged = list(NUMBERS)
        for i in range(stride, len(NUMBERS) - 1, stride):
            if damaged[i] != ",":
                damaged[i] = chr(ord(damaged[i]) ^ stride)
        scan(crc, "".join(damaged))
        scan(crc, NUMBERS)


def benchmark() -> int:
    """The checksum of each iteration of the benchmark."""
    crc = Crc16()
    for part in (lists, matrices, states):
        part(crc)
    return crc.value
