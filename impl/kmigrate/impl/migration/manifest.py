"""What a container consists of: its page lists and its digest, sent behind the user sections.

Form: kernel page bits (32 bytes), frame bits (32 bytes), digest (32 bytes). It follows the user bytes in
the last piece of section 0, so the destination knows all pages before it stages any.

Source: hardened coordination (ours; nanvix-facts 9 H12, H19).
"""

from dataclasses import dataclass

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.container import DIGEST_BYTES, Container
from kmigrate.impl.kernel.layout import Layout

_BITS_BYTES = 32

MANIFEST_BYTES = 2 * _BITS_BYTES + DIGEST_BYTES
"""Size of an encoded manifest."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The kernel pages and frames of a process, ascending, and the digest of its nine sections."""

    kernel_pages: tuple[int, ...]
    frames: tuple[int, ...]
    digest: bytes

    @classmethod
    def of(cls, container: Container) -> "Manifest":
        """Describe the container that stands in a memory; its cluster must be frozen."""
        return cls(container.kernel_pages, container.frames, container.digest())

    def encode(self) -> bytes:
        """The manifest as 96 bytes."""
        kernel_bits = sum(1 << page for page in self.kernel_pages)
        frame_bits = sum(1 << frame for frame in self.frames)
        return (
            kernel_bits.to_bytes(_BITS_BYTES, "little") + frame_bits.to_bytes(_BITS_BYTES, "little") + self.digest
        )

    @classmethod
    def decode(cls, content: bytes, layout: Layout) -> "Manifest":
        """Read a manifest. Raises MalformedMessage if a page is not a process's to have in this layout."""
        if len(content) != MANIFEST_BYTES:
            raise MalformedMessage(f"a manifest has {MANIFEST_BYTES} bytes, not {len(content)}")
        kernel_bits = int.from_bytes(content[:_BITS_BYTES], "little")
        frame_bits = int.from_bytes(content[_BITS_BYTES : 2 * _BITS_BYTES], "little")
        kernel_pages = tuple(page for page in range(8 * _BITS_BYTES) if kernel_bits >> page & 1)
        frames = tuple(frame for frame in range(8 * _BITS_BYTES) if frame_bits >> frame & 1)
        for page in kernel_pages:
            if page not in layout.kernel_pages:
                raise MalformedMessage(f"kernel page {page} is not a process's to have")
        for frame in frames:
            if frame >= layout.geometry.frames:
                raise MalformedMessage(f"there is no frame {frame}")
        return cls(kernel_pages, frames, content[2 * _BITS_BYTES :])
