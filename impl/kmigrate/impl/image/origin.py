"""What an image says of the program that its process runs: enough to find it again, and to know its first thread.

The record of a feature that a reader may ignore: the bytes of the process are all in the image, but the runtime
beside the kernel that they call is not. It is {digest of the program's file, 16 bytes; digest of the runtime, 16
bytes; tid of the first thread u32; name of the program, UTF-8}.

Source: ours; nanvix-facts 6 for the layers of a program.
"""

from dataclasses import dataclass

from kmigrate.impl.image.errors import BadValue
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.reader import place

FEATURE = 1
"""The bit of the feature."""

_DIGEST_BYTES = 16
_TID_BYTES = 4
_FIXED_BYTES = 2 * _DIGEST_BYTES + _TID_BYTES


@dataclass(frozen=True, slots=True)
class Origin:
    """The program of a process.

    program          its name, printable
    digest, runtime  of its file and of its runtime's layers, 32 hexadecimal digits each
    tid              of the process's first thread, whose exit value is that of the process
    """

    program: str
    digest: str
    runtime: str
    tid: int

    def extension(self) -> tuple[int, bytes]:
        """The record for a manifest."""
        fixed = bytes.fromhex(self.digest) + bytes.fromhex(self.runtime) + self.tid.to_bytes(_TID_BYTES, "little")
        assert len(fixed) == _FIXED_BYTES
        return FEATURE, fixed + self.program.encode("utf-8")


def origin_of(manifest: Manifest) -> Origin | None:
    """What a manifest says of the program; None if it says nothing. Raises BadValue if it does not say it so."""
    content = dict(manifest.extensions).get(FEATURE)
    if content is None:
        return None
    where = place("extensions")
    if len(content) <= _FIXED_BYTES:
        raise BadValue(
            where, HEADER_BYTES, f"more than {_FIXED_BYTES} bytes on the program", f"{len(content)} bytes"
        )
    fixed, name = content[:_FIXED_BYTES], content[_FIXED_BYTES:]
    try:
        program = name.decode("utf-8")
    except UnicodeDecodeError:
        raise BadValue(where, HEADER_BYTES, "a program's name in UTF-8", repr(name)) from None
    if not program.isprintable():
        raise BadValue(where, HEADER_BYTES, "a program's name in printable characters", repr(program))
    return Origin(
        program,
        fixed[:_DIGEST_BYTES].hex(),
        fixed[_DIGEST_BYTES : 2 * _DIGEST_BYTES].hex(),
        int.from_bytes(fixed[2 * _DIGEST_BYTES :], "little"),
    )
