"""The image of a process: one format for wire, file and memory."""

from kmigrate.impl.image.apart import Apart, apart_of
from kmigrate.impl.image.checkpoint import load, resume, save
from kmigrate.impl.image.decoder import Decoder
from kmigrate.impl.image.errors import ImageRefused, StaleIncarnation, StoreFailed
from kmigrate.impl.image.header import Header
from kmigrate.impl.image.image import Image
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.memory import capture, install
from kmigrate.impl.image.origin import Origin, origin_of
from kmigrate.impl.image.sections import Shape, payload_bytes
from kmigrate.impl.image.wire import Assembly, Tag, pieces

__all__ = [
    "Apart",
    "Assembly",
    "Decoder",
    "Header",
    "Image",
    "ImageRefused",
    "Manifest",
    "Origin",
    "Shape",
    "StaleIncarnation",
    "StoreFailed",
    "Tag",
    "apart_of",
    "capture",
    "install",
    "load",
    "origin_of",
    "payload_bytes",
    "pieces",
    "resume",
    "save",
]
