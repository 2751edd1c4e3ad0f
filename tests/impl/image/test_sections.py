"""The hash of a kernel's layout: the same for the same kernel, another one for any other."""

from dataclasses import fields, replace

from kmigrate.impl.chip.geometry import MPPA256, TINY
from kmigrate.impl.image.sections import kernel_hash
from kmigrate.impl.kernel.placement import UAREA_FIELDS, Placement

PLACEMENT = Placement.of(MPPA256)


def test_equal_kernels_have_one_hash() -> None:
    assert kernel_hash(PLACEMENT) == kernel_hash(Placement.of(MPPA256))
    assert kernel_hash(PLACEMENT) != kernel_hash(Placement.of(TINY))


def test_whatever_stands_elsewhere_makes_another_hash() -> None:
    moved = [field.name for field in fields(Placement) if field.name not in ("geometry", "together", "fields")]
    others = [replace(PLACEMENT, **{name: getattr(PLACEMENT, name) + 1}) for name in moved]
    for number in range(len(UAREA_FIELDS)):
        addresses = list(PLACEMENT.fields)
        addresses[number] += 4
        others.append(replace(PLACEMENT, fields=tuple(addresses)))
    hashes = [kernel_hash(PLACEMENT), *map(kernel_hash, others)]
    assert len(hashes) == len(moved) + len(UAREA_FIELDS) + 1
    assert len(set(hashes)) == len(hashes)


def test_what_the_sections_do_not_depend_on_makes_no_other_hash() -> None:
    faster = replace(MPPA256, hertz=2 * MPPA256.hertz, name="faster")
    assert kernel_hash(Placement.of(faster)) == kernel_hash(PLACEMENT)
    larger = replace(MPPA256, user_base=0x90000000)
    assert kernel_hash(Placement.of(larger)) != kernel_hash(PLACEMENT)
