"""The part of a build that works on a tree: the first process of a namespace, started by `build`.

It reads its job, a pickle, from standard input and stays alive only as long as that stays open: when
the builder is gone, so is the namespace with its processes and mounts. It writes one JSON document a
line: {"stage"}, {"done", "seconds", "cached"}, {"note"}, {"result"} or {"error"}.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from image import chroot, configure, dpkg, finish, initrd_layer, jobs, minimizer, packages, squashfs
from image.cache import Cache
from image.kickstart import Kickstart, PostScript
from image.plugins import keys, place
from image.plugins.plugin import Plugin
from image.process import run
from node.errors import InputError, NodeError


@dataclass(frozen=True)
class Job:
    """What to make of a tree of packages, and where it goes."""

    kickstart: Kickstart
    packages_tar: Path
    packages_key: str
    wanted: tuple[str, ...]
    deb: Path
    tree: Path
    cache: Path
    output: Path
    name: str
    version: str
    epoch: int
    compression_level: int
    plugins: tuple[Plugin, ...] = ()
    plugin_keys: tuple[bytes, ...] = ()
    debian_names: frozenset[str] = frozenset()

    def perform(self, report: Report) -> dict[str, Any]:
        """Make the image; what the manifest needs to know of it."""
        return make_image(self, report)


@dataclass
class Report:
    """Tells the builder, line by line, what goes on."""

    cached: set[str] = field(default_factory=set)

    def say(self, **line: Any) -> None:
        """Write one line."""
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Say that a stage begins and, when it ends well, how long it took."""
        start = time.monotonic()
        self.say(stage=name)
        yield
        self.say(done=name, seconds=round(time.monotonic() - start, 1), cached=name in self.cached)


def make_image(job: Job, report: Report) -> dict[str, Any]:
    """Tree, initrd and squashfs of a job; what the manifest needs to know of them.

    Raises InputError where the kickstart is to blame, NodeError where a stage failed.
    """
    with report.stage("unpack"):
        _unpack(job.packages_tar, job.tree)
        unpacked = set(dpkg.installed(job.tree))
    with report.stage("configure"), chroot.mounted(job.tree):
        _install_own(job.tree, job.deb)
        configure.configure(job.tree, job.kickstart, lambda argv: chroot.run_inside(job.tree, argv))
    for script in job.kickstart.scripts:
        if not script.is_minimizer:
            with report.stage(f"%post {script.origin.path.name}:{script.origin.line}"):
                _post(job.tree, script)
    vmlinuz = finish.stash_boot_files(job.tree, job.output)
    with report.stage("initrd"), chroot.mounted(job.tree):
        cached = initrd_layer.make(
            job.tree,
            Cache(job.cache),
            packages_key=job.packages_key,
            epoch=job.epoch,
            target=job.output / "initrd",
        )
        if cached:
            report.cached.add("initrd")
    with report.stage("minimize"):
        # What came later, our own package and those of scripts, is wanted too.
        finish.purge(job.tree, {*job.wanted, *(set(dpkg.installed(job.tree)) - unpacked)})
        installed = dpkg.installed(job.tree)
        packages.check_excluded(job.kickstart, installed)
        finish.install_boot_files(job.tree, vmlinuz, job.output / "initrd")
        _minimize(job, report)
    records = []
    if job.plugins:
        with report.stage("plugins"):
            records = place.place(job.tree, job.plugins, debian=job.debian_names.__contains__)
    keys.write_keys(job.tree, job.plugin_keys)
    with report.stage("squashfs"):
        finish.remove_traces(job.tree)
        finish.write_identity(
            job.tree,
            {
                "name": job.name,
                "version": job.version,
                "source_date_epoch": job.epoch,
                "packages-sha256": job.packages_key,
                "append": job.kickstart.append or "",
            },
        )
        finish.mark_as_current(job.tree, job.epoch)
        squashfs.make(job.tree, job.output / "root.squashfs", epoch=job.epoch, level=job.compression_level)
    return {
        "packages": {name: package.version for name, package in sorted(installed.items())},
        "sizes": [[one.name, one.size] for one in finish.package_sizes(job.tree)],
        "plugins": records,
        "plugin_keys": [keys.fingerprint(key) for key in job.plugin_keys],
    }


def _unpack(archive: Path, tree: Path) -> None:
    tree.mkdir()
    # Device nodes can't be made in a namespace, and the kernel brings its own /dev.
    argv: list[str | Path] = ["tar", "--extract", "--file", archive, "--directory", tree]
    argv += ["--numeric-owner", "--same-permissions", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*"]
    run(argv, brief="the tree of packages can't be unpacked")


def _install_own(tree: Path, package: Path) -> None:
    inside = tree / "run" / package.name
    inside.write_bytes(package.read_bytes())
    argv = ["dpkg", "--install", f"/run/{package.name}"]
    chroot.run_inside(tree, argv, brief="our own package can't be installed")
    inside.unlink()


def _post(tree: Path, script: PostScript) -> None:
    brief = f"{script.origin}: %post failed"
    if script.nochroot:
        path = tree.parent / "post"
        _write_script(path, script.body)
        # anaconda's name for the new root, and ours.
        env = {"ANA_INSTALL_PATH": str(tree), "INSTALL_ROOT": str(tree)}
        with chroot.mounted(tree):
            run([*script.interpreter.split(), path], env=env, cwd=tree.parent, brief=brief)
        path.unlink()
        return
    with chroot.mounted(tree), chroot.resolver(tree):
        _write_script(tree / "run/post", script.body)
        chroot.run_inside(tree, [*script.interpreter.split(), "/run/post"], brief=brief)


def _write_script(path: Path, body: str) -> None:
    path.write_text(body, encoding="utf-8")
    path.chmod(0o700)


def _minimize(job: Job, report: Report) -> None:
    for dry_run in (False, True):
        rules = [
            rule
            for script in job.kickstart.scripts
            if script.is_minimizer and ("--dryrun" in script.interpreter.split()) is dry_run
            for rule in minimizer.parse(script.body, script.origin)[0]
        ]
        if not rules:
            continue
        removal = finish.minimize(job.tree, rules, dry_run=dry_run)
        for rule in removal.idle:
            report.say(note=f"{rule.origin}: {rule.verb} {rule.subject} meets nothing")
        if dry_run:
            for path in removal.files:
                report.say(note=f"would drop {path}")


def _end_with_builder(pipe: int) -> None:
    """End this process, the namespace's first, as soon as nobody holds the other end of its input."""
    while os.read(pipe, 1):
        pass
    os._exit(1)


def main(argv: Sequence[str] = ()) -> int:  # noqa: ARG001
    """Read a job, do it, say how it went."""
    os.umask(0o022)
    stdin = sys.stdin.buffer
    size = int.from_bytes(stdin.read(8), "big")
    job: jobs.Job = pickle.loads(stdin.read(size))  # noqa: S301 - from our parent
    threading.Thread(target=_end_with_builder, args=(stdin.fileno(),), daemon=True).start()
    report = Report()
    try:
        result = job.perform(report)
    except NodeError as error:
        kind = "input" if isinstance(error, InputError) else "failed"
        report.say(error={"kind": kind, "brief": error.brief, "details": error.details, "mend": error.mend})
        return 1
    report.say(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
