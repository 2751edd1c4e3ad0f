"""Images in files: whole or not there, and no state resumed twice unnoticed."""

import os
import shutil
from pathlib import Path

import pytest

from impl.image.samples import SMALL, small
from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.image import ImageRefused, Shape, StaleIncarnation, StoreFailed, load, resume, save
from kmigrate.impl.image import checkpoint as store
from kmigrate.impl.image.errors import AlreadySaved, BadValue, Damaged, Incomplete, OtherKernel
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mode


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    image = small(mode=Mode.COLD)
    save(image, tmp_path / "a.image")
    assert load(tmp_path / "a.image") == image
    assert [path.name for path in tmp_path.iterdir()] == ["a.image"], "nothing else is left behind"


def test_to_resume_is_to_begin_the_next_life(tmp_path: Path) -> None:
    image = small(incarnation=3)
    save(image, tmp_path / "a.image")
    resumed = resume(tmp_path / "a.image", shape=SMALL)
    assert resumed.manifest.incarnation == 4
    assert resumed.sections == image.sections
    assert load(tmp_path / "a.image") == image, "to look is always allowed"


def test_a_state_is_not_resumed_twice(tmp_path: Path) -> None:
    save(small(), tmp_path / "a.image")
    resume(tmp_path / "a.image")
    with pytest.raises(StaleIncarnation, match=r"a\.image is stale: .*expected a state of life 2, found life 1"):
        resume(tmp_path / "a.image")


def test_neither_a_copy_nor_another_checkpoint_of_the_same_life_is_resumed(tmp_path: Path) -> None:
    save(small(), tmp_path / "a.image")
    save(small(seed=2), tmp_path / "later.image")
    shutil.copy(tmp_path / "a.image", tmp_path / "copy.image")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.image").symlink_to(tmp_path / "a.image")
    resume(tmp_path / "a.image")
    for name in ("copy.image", "later.image", "elsewhere/link.image"):
        with pytest.raises(StaleIncarnation):
            resume(tmp_path / name)


def test_the_next_life_may_be_saved_and_resumed_in_turn(tmp_path: Path) -> None:
    image = small()
    for life in (1, 2, 3):
        assert image.manifest.incarnation == life
        save(image, tmp_path / f"{life}.image")
        image = resume(tmp_path / f"{life}.image")
    with pytest.raises(StaleIncarnation):
        resume(tmp_path / "2.image")


def test_a_lost_life_is_begun_again_when_that_is_said(tmp_path: Path) -> None:
    save(small(), tmp_path / "a.image")
    resume(tmp_path / "a.image")
    assert resume(tmp_path / "a.image", again=True).manifest.incarnation == 3
    with pytest.raises(StaleIncarnation, match="expected a state of life 3"):
        resume(tmp_path / "a.image")


def test_other_processes_do_not_matter(tmp_path: Path) -> None:
    save(small(), tmp_path / "a.image")
    save(small(container=8), tmp_path / "b.image")
    save(small(name="sorter"), tmp_path / "c.image")
    for name in "abc":
        assert resume(tmp_path / f"{name}.image").manifest.incarnation == 2


def test_a_register_is_shared_by_directories(tmp_path: Path) -> None:
    register = tmp_path / "register"
    for name in ("one", "two", "register"):
        (tmp_path / name).mkdir()
    for name in ("one", "two"):
        save(small(), tmp_path / name / "a.image")
    resume(tmp_path / "one" / "a.image", register=register)
    with pytest.raises(StaleIncarnation):
        resume(tmp_path / "two" / "a.image", register=register)


def test_who_comes_second_in_a_race_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(small(), tmp_path / "a.image")
    resume(tmp_path / "a.image")
    monkeypatch.setattr(store, "newest", lambda directory, manifest: 0)  # looked before the other wrote
    with pytest.raises(StaleIncarnation):
        resume(tmp_path / "a.image")


# -- files -----------------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    save(small(), tmp_path / "a.image")
    with pytest.raises(AlreadySaved, match="a file of that name is there; choose another name"):
        save(small(seed=2), tmp_path / "a.image")
    assert load(tmp_path / "a.image") == small()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_save_that_fails_leaves_nothing_and_the_next_one_works(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StoreFailed, match=r"a\.image cannot be written: No space left on device"):
            save(small(), tmp_path / "a.image")
    assert list(tmp_path.iterdir()) == []
    save(small(), tmp_path / "a.image")


def test_a_save_that_was_killed_does_not_disturb_the_next_one(tmp_path: Path) -> None:
    (tmp_path / f".a.image.{os.getpid()}.partial").write_bytes(bytes(5000))
    assert list(store.listing(tmp_path)) == []
    save(small(), tmp_path / "a.image")
    assert load(tmp_path / "a.image") == small()


def test_an_image_with_frames_apart_is_no_checkpoint(tmp_path: Path) -> None:
    image = small(mode=Mode.POST_COPY, frames_apart=(2,))
    with pytest.raises(Incomplete, match="found 1 apart"):
        save(image, tmp_path / "a.image")
    (tmp_path / "b.image").write_bytes(image.encode())
    with pytest.raises(Incomplete):
        resume(tmp_path / "b.image")


def test_a_refused_image_begins_no_life(tmp_path: Path) -> None:
    encoded = small().encode()
    (tmp_path / "a.image").write_bytes(encoded[:-1] + bytes((encoded[-1] ^ 1,)))
    with pytest.raises(Damaged):
        resume(tmp_path / "a.image")
    save(small(), tmp_path / "b.image")
    with pytest.raises(OtherKernel):
        resume(tmp_path / "b.image", shape=Shape.of(Placement.of(TINY)))
    save(small(incarnation=2**63 - 1, name="old"), tmp_path / "c.image")
    with pytest.raises(BadValue, match="incarnation"):
        resume(tmp_path / "c.image")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.image", "b.image", "c.image"]


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for name in ("none.image", "."):
        with pytest.raises(StoreFailed, match="cannot be read"):
            load(tmp_path / name)
    with pytest.raises(StoreFailed, match="cannot be written: No such file or directory"):
        save(small(), tmp_path / "none" / "a.image")
    save(small(), tmp_path / "a.image")
    with pytest.raises(StoreFailed, match="register cannot be read: No such file"):
        resume(tmp_path / "a.image", register=tmp_path / "register")


def test_a_marker_that_cannot_be_written_resumes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(small(), tmp_path / "a.image")

    def fail(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(StoreFailed, match="life-2 cannot be written: Permission denied"):
        resume(tmp_path / "a.image")


def test_a_directory_is_listed_by_name_with_the_state_of_each(tmp_path: Path) -> None:
    save(small(), tmp_path / "b.image")
    save(small(container=8), tmp_path / "a.bin")
    resume(tmp_path / "b.image")
    (tmp_path / "c.image").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("no image")
    found = list(store.listing(tmp_path))
    assert [(one.path.name, one.stale, type(one.refusal).__name__) for one in found] == [
        ("a.bin", False, "NoneType"),
        ("b.image", True, "NoneType"),
        ("c.image", False, "NotAnImage"),
    ]
    assert isinstance(found[2].refusal, ImageRefused)
    assert found[0].image == small(container=8)
    with pytest.raises(StoreFailed, match="cannot be read"):
        list(store.listing(tmp_path / "none"))
