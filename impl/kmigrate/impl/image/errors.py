"""Why an image is refused, one class per cause.

Each says where (the part and the byte, counted from the start of the image), what would be right, and what is
there. `ImageRefused` is the base of those that speak of bytes; a `StoreFailed` speaks of a file or directory.
"""

from typing import ClassVar

from kmigrate.impl.errors import ImplError


class ImageRefused(ImplError):
    """An image was refused; nothing of it has been handed out.

    part      header, manifest (and which field of it), section (and which), digest, piece
    offset    the byte of the image at which it does not go on
    expected  what would be right
    found     what is there
    """

    complaint: ClassVar[str] = "is refused"

    def __init__(self, part: str, offset: int, expected: object, found: object) -> None:
        super().__init__(
            f"image refused at byte {offset}: {part} {self.complaint}: expected {expected}, found {found}"
        )
        self.part = part
        self.offset = offset
        self.expected = expected
        self.found = found


# -- bytes -----------------------------------------------------------------------------------------------


class NotAnImage(ImageRefused):
    """The first eight bytes are not those of an image."""

    complaint = "is not that of a kmigrate image"


class Truncated(ImageRefused):
    """The bytes end before the image does."""

    complaint = "ends too early"


class TrailingBytes(ImageRefused):
    """The bytes go on after the image has ended."""

    complaint = "is followed by bytes that do not belong to it"


class Damaged(ImageRefused):
    """A checksum or the digest does not fit the bytes it was made of."""

    complaint = "does not have its checksum"


class UnsupportedVersion(ImageRefused):
    """The image, or a section of it, is of a version of the format that this reader does not know."""

    complaint = "is of a version that is not known here"


class UnknownFeature(ImageRefused):
    """The image needs a feature understood that this reader does not know."""

    complaint = "asks for features that are not known here"


# -- manifest --------------------------------------------------------------------------------------------


class BadValue(ImageRefused):
    """A field of the manifest has a value that it cannot have."""

    complaint = "has a value that it cannot have"


class PageOutOfRange(ImageRefused):
    """A page list names a page that a process cannot have."""

    complaint = "names a page that a process cannot have"


class PagesOutOfOrder(ImageRefused):
    """A page list is not ascending, or names a page twice."""

    complaint = "is not ascending"


class UnknownSection(ImageRefused):
    """The table names a section that there is not."""

    complaint = "names a section that there is not"


class SectionMissing(ImageRefused):
    """The table ends, or goes on to a later section, without one that must be there."""

    complaint = "lacks a section"


class SectionDoubled(ImageRefused):
    """The table names a section twice."""

    complaint = "names a section twice"


class SectionOutOfOrder(ImageRefused):
    """The table names a section that belongs before an earlier line."""

    complaint = "names a section out of order"


class BadSectionLength(ImageRefused):
    """A section has another length than the geometry and the page lists give."""

    complaint = "has a length that it cannot have"


class ListsDisagree(ImageRefused):
    """The manifest's page list is not the one that stands in the section."""

    complaint = "does not have the pages that the manifest lists"


# -- whether this image, here and now --------------------------------------------------------------------


class OtherKernel(ImageRefused):
    """The image was made under a kernel that is laid out otherwise."""

    complaint = "is that of a kernel with another layout"


class StaleIncarnation(ImageRefused):
    """The state in the image has been resumed already: the process has a later life."""

    complaint = "is stale: this state has been resumed before"


class Incomplete(ImageRefused):
    """Frames of the process are not in the image, so that it cannot be resumed from it alone."""

    complaint = "says that frames travel apart"


class OtherAttempt(ImageRefused):
    """A piece or a manifest belongs to another attempt than the one awaited."""

    complaint = "belongs to another attempt"


class OutOfSequence(ImageRefused):
    """A piece came twice, or before one that precedes it."""

    complaint = "is not the next one"


class NoSuchPage(ImplError):
    """An image was asked for a page that is not in it."""

    def __init__(self, section: str, index: int, inside: tuple[int, ...]) -> None:
        pages = ", ".join(map(str, inside)) or "none"
        super().__init__(f"section {section}: page {index} is not in the image; in it are {pages}")
        self.section = section
        self.index = index
        self.inside = inside


# -- files -----------------------------------------------------------------------------------------------


class StoreFailed(ImplError):
    """A file of a checkpoint cannot be read or written."""

    def __init__(self, path: str, action: str, reason: str) -> None:
        super().__init__(f"{path} cannot be {action}: {reason}")
        self.path = path
        self.action = action
        self.reason = reason


class AlreadySaved(StoreFailed):
    """A checkpoint would take the place of a file that is there."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "written", "a file of that name is there; choose another name")
