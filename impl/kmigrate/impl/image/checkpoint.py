"""Images in files: saved whole or not at all, and no state resumed twice unnoticed.

A state belongs to a life of its process. To resume it is to begin the next life, and that is written down first,
in a marker beside the image that only one can create. A state of an earlier life than the latest one begun is stale
and is refused, also in a copy of its file and in another checkpoint of the same life. Markers stay where they are:
what was resumed elsewhere is known only there, unless both use one register.

Source: thesis 2.4.1.1 (a cold migration saves the state and restores it elsewhere); the rest is ours.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from kmigrate.impl.image.decoder import INCARNATION_AT
from kmigrate.impl.image.errors import (
    AlreadySaved,
    ImageRefused,
    Incomplete,
    StaleIncarnation,
    StoreFailed,
)
from kmigrate.impl.image.header import HEADER_BYTES, MAGIC
from kmigrate.impl.image.image import Image
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.sections import Shape

SUFFIX = ".image"
"""What the names of image files end in by custom."""

READ_MAX_BYTES = 1 << 22
"""No image is that long; more of a file is not read."""

_LIFE = re.compile(r"life-([0-9]{1,19})")


def save(image: Image, path: Path) -> None:
    """Write an image to a file that is not there yet; whoever looks sees all of it or nothing.

    Raises  Incomplete if frames are apart, AlreadySaved, StoreFailed
    """
    apart = image.manifest.frames_apart
    if apart:
        raise Incomplete("manifest", HEADER_BYTES, "all frames in the image", f"{len(apart)} apart")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        _write(partial, image.encode(), os.O_TRUNC)
        os.link(partial, path)  # unlike a rename, it fails if the name is taken
        _sync(path.parent)
    except FileExistsError:
        raise AlreadySaved(str(path)) from None
    except OSError as error:
        raise StoreFailed(str(path), "written", error.strerror or str(error)) from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def raw(path: Path, size: int = READ_MAX_BYTES) -> bytes:
    """The first bytes of a file. Raises StoreFailed."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise StoreFailed(str(path), "read", error.strerror or str(error)) from None


def load(path: Path, *, shape: Shape | None = None) -> Image:
    """Read an image to look at it, whether it has been resumed or not. Raises StoreFailed, ImageRefused."""
    return Image.decode(raw(path), shape=shape)


def resume(path: Path, *, shape: Shape | None = None, register: Path | None = None, again: bool = False) -> Image:
    """Read an image to run it: the same state, as of the life that begins now.

    shape     of the kernel that it must be made under; None: any
    register  the directory of the markers; None: that of the file
    again     resume a stale state nevertheless, since its later lives are known to be lost
    Raises    StaleIncarnation, StoreFailed, ImageRefused
    """
    image = load(path, shape=shape)
    manifest = image.manifest
    if manifest.frames_apart:
        raise Incomplete("manifest", HEADER_BYTES, "all frames in the image", f"{len(manifest.frames_apart)} apart")
    directory = path.resolve().parent if register is None else register
    latest = newest(directory, manifest)
    if manifest.incarnation < latest and not again:
        raise _stale(path, manifest, latest)
    life = max(latest, manifest.incarnation) + 1
    resumed = image.of_life(life)
    marker = _marker(directory, manifest, life)
    try:
        _write(marker, f"life {life} began from {path.name}, of life {manifest.incarnation}\n".encode(), os.O_EXCL)
        _sync(directory)
    except FileExistsError:  # somebody resumed it since we looked
        raise _stale(path, manifest, life) from None
    except OSError as error:
        raise StoreFailed(str(marker), "written", error.strerror or str(error)) from None
    return resumed


def newest(directory: Path, manifest: Manifest) -> int:
    """The latest life of a process that the markers in a directory know of; 0: none. Raises StoreFailed."""
    prefix = _prefix(manifest)
    try:
        names = [path.name for path in sorted(directory.iterdir())]
    except OSError as error:
        raise StoreFailed(str(directory), "read", error.strerror or str(error)) from None
    lives = [_LIFE.fullmatch(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
    return max((int(life[1]) for life in lives if life is not None), default=0)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a directory that is, or should be, an image.

    refusal  why it is none; None: it is whole
    stale    whether its state has been resumed
    """

    path: Path
    size_bytes: int
    image: Image | None
    refusal: ImageRefused | None
    stale: bool


def listing(directory: Path) -> Iterator[Listed]:
    """The images in a directory by name: files that end in `.image` or begin as an image. Raises StoreFailed."""
    try:
        files = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise StoreFailed(str(directory), "read", error.strerror or str(error)) from None
    for path in files:
        if path.suffix != SUFFIX and raw(path, len(MAGIC)) != MAGIC:
            continue
        data = raw(path)
        try:
            image = Image.decode(data)
        except ImageRefused as refusal:
            yield Listed(path, len(data), None, refusal, stale=False)
            continue
        latest = newest(path.resolve().parent, image.manifest)
        yield Listed(path, len(data), image, None, stale=image.manifest.incarnation < latest)


def _stale(path: Path, manifest: Manifest, latest: int) -> StaleIncarnation:
    return StaleIncarnation(str(path), INCARNATION_AT, f"a state of life {latest}", f"life {manifest.incarnation}")


def _prefix(manifest: Manifest) -> str:
    name = blake2b(manifest.name.encode("utf-8"), digest_size=4).hexdigest()
    return f"container-{manifest.container}-{name}."


def _marker(directory: Path, manifest: Manifest, life: int) -> Path:
    return directory / f"{_prefix(manifest)}life-{life}"


def _write(path: Path, content: bytes, how: int) -> None:
    """Create a file and have it on the disk before it is closed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    """Have the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
