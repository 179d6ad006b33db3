"""A build from kickstart to output folder: the order of the stages, and which of them are cached."""

from __future__ import annotations

import datetime
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image import (
    answers,
    deb,
    initrd_layer,
    kickstart,
    loaders,
    minimizer,
    mirror,
    namespace,
    output,
    packages,
    squashfs,
)
from image.cache import Cache, cache_root, key_of
from image.jobs import run_job
from image.kickstart import Kickstart
from image.ks_reader import refuse
from image.plugins import keys
from image.plugins.given import notices, read_plugins
from image.progress import Progress
from image.worker import Job
from node.errors import InputError
from node.system.commands import LiveCommands


@dataclass(frozen=True)
class Request:
    """What a user asked `node-image build` for."""

    kickstart: Path
    output: Path
    mirror: str | None = None
    security_mirror: str | None = None
    ks_version: str | None = None
    compression_level: int = squashfs.DEFAULT_LEVEL
    base_url: str | None = None
    append: str = ""
    plugins: tuple[Path, ...] = ()
    plugin_keys: tuple[Path, ...] = ()


def build(request: Request, progress: Progress, environment: Mapping[str, str]) -> dict[str, Any]:
    """Build an image into `request.output`, which is made or replaced whole, at the very end.

    Gives the manifest. Raises InputError (nothing was begun or the kickstart is to blame),
    TryAgainError (the mirror is away) or NodeError (a stage failed); the output is then untouched.
    """
    output.check_target(request.output)
    ks = kickstart.load(request.kickstart, ks_version=request.ks_version)
    _check_minimizer(ks)
    answers.check(ks)
    answers.check_network(ks, LiveCommands())
    plugins = read_plugins(request.plugins)
    plugin_keys = tuple(keys.read_public_key(path) for path in request.plugin_keys)
    for notice in (*ks.notices, *notices(plugins)):
        progress.note(notice)
    namespace.check_subordinate_ids()
    source = mirror.discover(request.mirror, request.security_mirror, environment)
    cache = Cache(cache_root())
    with progress.stage("mirror"):
        archive = mirror.refresh(cache.root, source, ks.suites)
        wanted = packages.package_list(ks, deb.of_this_installation(), initrd_layer.build_packages())
        tree = packages.TreeRequest(wanted, ks, archive, source)
        # What is in the cache was found once.
        if not cache.find("packages", tree.key):
            packages.check_names(ks, wanted, archive)
        debian_names = mirror.names(archive, "python3-") if plugins else frozenset()
    epoch = source_date_epoch(environment, archive.date)
    with namespace.work_area() as work:
        with progress.stage("packages") as state:
            if cache.find("packages", tree.key):
                state.add("cached")
            tar = packages.make_tree(cache, work, tree)
        own = deb.build(work, epoch=epoch)
        key = key_of(
            [
                tree.key,
                ks.fingerprint(),
                own.version,
                epoch,
                request.compression_level,
                initrd_layer.digest(initrd_layer.SOURCE, (".",)),
                _builder_digest(),
                [[plugin.source, plugin.sha256] for plugin in plugins],
                [keys.fingerprint(one) for one in plugin_keys],
            ]
        )
        name = ks.path.stem
        version = image_version(own.version, epoch, key)
        job = Job(
            kickstart=ks,
            packages_tar=tar,
            packages_key=tree.key,
            wanted=wanted.wanted,
            deb=own.path,
            tree=work / "tree",
            cache=cache.root,
            output=work,
            name=name,
            version=version,
            epoch=epoch,
            compression_level=request.compression_level,
            plugins=plugins,
            plugin_keys=plugin_keys,
            debian_names=debian_names,
        )
        image = _image(cache, key, job, progress)
        with progress.stage("loaders") as state:
            found, was_cached = loaders.fetch(cache, archive)
            if was_cached:
                state.add("cached")
        with progress.stage("output"):
            described = output.Image(
                folder=image, name=name, version=version, epoch=epoch, kickstart=ks, loaders=found
            )
            return output.write(described, request.output, base_url=request.base_url, append=request.append)


def source_date_epoch(environment: Mapping[str, str], archive_date: int) -> int:
    """$SOURCE_DATE_EPOCH, else the date of the archive's newest release. Raises InputError."""
    given = environment.get("SOURCE_DATE_EPOCH")
    if not given:
        return archive_date
    if not given.isdigit() or int(given) > time.time():
        raise InputError(
            f"SOURCE_DATE_EPOCH={given} is not a number of seconds since 1970 that have gone by",
            mend="unset it, or take the time of the last commit: git log -1 --format=%ct",
        )
    return int(given)


def image_version(own_version: str, epoch: int, key: str) -> str:
    """A name for these very inputs that sorts by date, as 0.1.0+20250520.1a2b3c4d."""
    day = datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y%m%d")
    return f"{own_version.partition('+')[0]}+{day}.{key[:8]}"


def _check_minimizer(ks: Kickstart) -> None:
    refuse(
        [
            complaint
            for script in ks.scripts
            if script.is_minimizer
            for complaint in minimizer.parse(script.body, script.origin)[1]
        ]
    )


def _builder_digest() -> str:
    """SHA-256 over the builder's own sources: another builder may make another image."""
    folder = Path(__file__).parent
    sources = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    return initrd_layer.digest(folder, tuple(sources))


def _image(cache: Cache, key: str, job: Job, progress: Progress) -> Path:
    """Folder of the cache with vmlinuz, initrd, root.squashfs and facts.json, made now unless it is there."""
    with cache.lock("images", key):
        found = cache.find("images", key)
        if found is not None:
            progress.end("image", 0, cached=True)
            return found
        facts = run_job(job, progress)
        with cache.making("images", key) as folder:
            for name in output.IMAGE_FILES:
                shutil.move(job.output / name, folder / name)
            (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        made = cache.find("images", key)
        assert made is not None
        return made
