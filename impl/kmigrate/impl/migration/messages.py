"""The mailbox messages of both protocols as bytes.

Hardened: {kind u8, section u8, reason u8, 0, process u16, source u8, destination u8, epoch u32, crc32 u32}, filled
up to 128 bytes. Published: the code's 12 bytes {opcode, receiver, sender}, three words, filled up as well.

Source: nanvix-facts 7.1; the hardened form is ours.
"""

import struct
from dataclasses import dataclass
from typing import assert_never
from zlib import crc32

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.migration.attempt import Attempt, Refusal
from kmigrate.spec.vocabulary import DATA_STATES, Message, Opcode

_HARDENED = struct.Struct("<BBBxHBBI")
_PUBLISHED = struct.Struct("<III")
_CRC = struct.Struct("<I")
_HARDENED_PADDING = bytes(MESSAGE_BYTES - _HARDENED.size - _CRC.size)
_PUBLISHED_PADDING = bytes(MESSAGE_BYTES - _PUBLISHED.size)

_MESSAGES = tuple(Message)
_CODES = {message: code for code, message in enumerate(_MESSAGES)}
_WANT = len(_MESSAGES)
_REASONS: tuple[Refusal | None, ...] = (None, *Refusal)
_OPCODES = (Opcode.MIGRATE_TO, Opcode.MIGRATE_FROM)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that carries nothing but its attempt; a NACK also carries its reason."""

    message: Message
    attempt: Attempt
    reason: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """The destination asks for a section; with it goes the permission for that section's first piece."""

    attempt: Attempt
    section: int


Letter = Notice | Want
"""Any message of the hardened protocol."""


@dataclass(frozen=True, slots=True)
class Call:
    """The one message of the published protocol; the clusters stand in it as node numbers."""

    opcode: Opcode
    receiver: int
    sender: int


def encode(letter: Letter) -> bytes:
    """A hardened message as 128 bytes."""
    attempt = letter.attempt
    match letter:
        case Notice(message=message, reason=reason):
            code, section, why = _CODES[message], 0, _REASONS.index(reason)
        case Want(section=section):
            code, why = _WANT, 0
        case _:
            assert_never(letter)
    head = _HARDENED.pack(code, section, why, attempt.process, attempt.source, attempt.destination, attempt.epoch)
    return head + _CRC.pack(crc32(head)) + _HARDENED_PADDING


def decode(content: bytes) -> Letter:
    """Read a hardened message. Raises MalformedMessage."""
    if len(content) != MESSAGE_BYTES:
        raise MalformedMessage(f"{len(content)} bytes instead of {MESSAGE_BYTES}")
    code, section, why, process, source, destination, epoch = _HARDENED.unpack_from(content)
    if _CRC.unpack_from(content, _HARDENED.size)[0] != crc32(content[: _HARDENED.size]):
        raise MalformedMessage("a message fails its checksum")
    attempt = Attempt(process, source, destination, epoch)
    if code == _WANT:
        if section >= len(DATA_STATES):
            raise MalformedMessage(f"there is no section {section}")
        return Want(attempt, section)
    if code > _WANT:
        raise MalformedMessage(f"there is no message {code}")
    if why >= len(_REASONS):
        raise MalformedMessage(f"there is no reason {why}")
    return Notice(_MESSAGES[code], attempt, _REASONS[why])


def encode_call(call: Call) -> bytes:
    """A published message as 128 bytes, the first 12 used."""
    return _PUBLISHED.pack(_OPCODES.index(call.opcode), call.receiver, call.sender) + _PUBLISHED_PADDING


def decode_call(content: bytes) -> Call:
    """Read a published message. Raises MalformedMessage."""
    if len(content) != MESSAGE_BYTES:
        raise MalformedMessage(f"{len(content)} bytes instead of {MESSAGE_BYTES}")
    code, receiver, sender = _PUBLISHED.unpack_from(content)
    if code >= len(_OPCODES):
        raise MalformedMessage(f"there is no opcode {code}")
    return Call(_OPCODES[code], receiver, sender)
