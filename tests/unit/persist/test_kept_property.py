"""Whatever is done in a kept folder: after a saving and a reboot it is as it was."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.persist.kept_set import add
from tests.unit.persist.kept_node import KeptNode

names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
actions = st.one_of(
    st.tuples(st.just("write"), paths, st.sampled_from(["", "1", "2" * 9000])),
    st.tuples(st.just("folder"), paths, st.just("")),
    st.tuples(st.just("remove"), paths, st.just("")),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("symlink"), paths, paths),
    st.tuples(st.just("link"), paths, paths),
    st.tuples(st.just("mode"), paths, st.sampled_from(["600", "750", "4711"])),
)


def act(top: Path, action: tuple[str, str, str]) -> None:
    """Do it, or nothing where it can't be done."""
    verb, where, what = action
    path = top / where
    # Nothing may be written through a symlink, which may lead anywhere.
    if any(part.is_symlink() for part in [path, *path.parents] if part != path or verb in ("write", "mode")):
        return
    try:
        if verb == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(what)
        elif verb == "folder":
            path.mkdir(parents=True, exist_ok=True)
        elif verb == "remove":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        elif verb == "rename":
            path.rename(top / what)
        elif verb == "symlink":
            path.symlink_to(what)
        elif verb == "link":
            os.link(path, top / what, follow_symlinks=False)
        else:
            path.chmod(int(what, 8) | 0o700 * path.is_dir())
    except OSError:
        return


def picture(top: Path) -> dict[str, tuple[object, ...]]:
    """What there is, but for times: what is as in the image isn't stored, and has the image's."""
    found = {}
    links: dict[int, str] = {}
    for path in sorted([top, *top.rglob("*")]):
        name, status = str(path.relative_to(top)), path.lstat()
        if path.is_symlink():
            found[name] = ("symlink", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", stat.S_IMODE(status.st_mode))
        else:
            first = links.setdefault(status.st_ino, name)
            found[name] = (path.read_text(), stat.S_IMODE(status.st_mode), first)
    return found


@given(
    st.lists(actions, max_size=6),
    st.lists(actions, max_size=6),
    st.lists(actions, max_size=4),
)
def test_a_folder_comes_back_as_it_was(
    image: list[tuple[str, str, str]],
    before: list[tuple[str, str, str]],
    after: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        node = KeptNode(Path(name))
        node.image("/etc/app/a/base", "image")
        for action in image:
            act(node.folder / "image/etc/app", action)
        node.boot()
        for action in before:
            act(node.at("/etc/app"), action)
        node.add("/etc/app")
        for action in after:
            act(node.at("/etc/app"), action)
        node.save()
        wanted = picture(node.at("/etc/app"))
        node.boot()
        assert node.warnings == ()
        assert picture(node.at("/etc/app")) == wanted
        node.save()
        node.boot()
        assert picture(node.at("/etc/app")) == wanted


def test_several_that_add_at_the_same_time_all_have_their_say(tmp_path: Path) -> None:
    node = KeptNode(tmp_path)
    wanted = [f"/etc/file{number}" for number in range(12)]
    for path in wanted:
        node.write(path, path)
    failures: list[BaseException] = []

    def work(path: str) -> None:
        try:
            add(node.places, [path])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(path,)) for path in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    node.boot()
    assert [node.at(path).read_text() for path in wanted] == wanted


@pytest.mark.parametrize("number", range(3))
def test_saving_again_and_again_leaves_no_blobs_behind(tmp_path: Path, number: int) -> None:
    node = KeptNode(tmp_path)
    node.write("/etc/app/a", "0")
    node.add("/etc/app")
    for turn in range(5):
        node.write("/etc/app/a", f"{number} {turn}")
        node.save()
    assert node.blobs() == 1
