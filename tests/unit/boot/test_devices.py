"""How the initrd finds its root on disks and media, and CONFIG beside it; with fake programs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.unit.boot.initrd_shell import InitrdShell

pytestmark = pytest.mark.effects("processes")

IMAGE = b"hsqs" + bytes(100_000)
SHA = hashlib.sha256(IMAGE).hexdigest()
CONFIG = "8d1f4a39-5f3c-4e5a-9d0b-6e6f64650001"

PARTITIONS = f"""\
PATH="/dev/sda" PARTLABEL="" PARTTYPE="" PKNAME=""
PATH="/dev/sda4" PARTLABEL="ROOT-A" PARTTYPE="8d1f4a39-5f3c-4e5a-9d0b-6e6f64650000" PKNAME="/dev/sda"
PATH="/dev/sda7" PARTLABEL="CONFIG" PARTTYPE="{CONFIG}" PKNAME="/dev/sda"
PATH="/dev/sdb1" PARTLABEL="CONFIG" PARTTYPE="0fc63daf-8483-4772-8e79-3d69d8477de4" PKNAME="/dev/sdb"
PATH="/dev/sdc2" PARTLABEL="CONFIG" PARTTYPE="{CONFIG.upper()}" PKNAME="/dev/sdc"
"""


@pytest.fixture
def shell(tmp_path: Path) -> InitrdShell:
    machine = InitrdShell(tmp_path / "machine")
    machine.program("udevadm", "exit 0")
    machine.program("umount", 'rm -rf "$1"/live')
    machine.program("sleep", "exec /bin/sleep 0.01")
    (machine.folder / "sysroot/etc").mkdir(parents=True)
    return machine


def with_media(shell: InitrdShell, media: dict[str, bytes]) -> None:
    """Fake devices, each a medium that holds these bytes as its image."""
    lines = ""
    for name, contents in media.items():
        path = shell.folder / f"media/{name}/live/root.squashfs"
        path.parent.mkdir(parents=True)
        path.write_bytes(contents)
        lines += f"{shell.folder}/media/{name} NODE_1\n"
    shell.program("lsblk", f"cat <<'END'\n/dev/sdz OTHER\n{lines}END")
    # mount -o OPTIONS DEVICE WHERE
    shell.program("mount", 'cp -r "$3"/live "$4"/')


@pytest.mark.parametrize(
    ("media", "chosen"),
    [
        ({"sda": IMAGE}, "sda"),
        ({"sr0": IMAGE[:-1] + b"x", "sda": IMAGE}, "sda"),
        ({"sr0": IMAGE[:-1], "sda": IMAGE, "sdb": IMAGE}, "sda"),
    ],
)
def test_the_medium_with_the_right_image_is_taken(
    shell: InitrdShell, media: dict[str, bytes], chosen: str
) -> None:
    with_media(shell, media)
    script = f"IMAGE=LABEL=NODE_1 IMAGE_SHA256={SHA} IMAGE_SIZE={len(IMAGE)}\nobtain_by_label"
    said = shell.run(f'{script}\nprintf "%s\\n" "$ROOT_DEVICE" "$ROOT_SIZE" "$ROOT_PATH"')
    device, size, path = said.stdout.splitlines()[-3:]
    assert Path(device).name == chosen
    assert (int(size), path) == (len(IMAGE), f"{shell.folder}/run/medium/live/root.squashfs")


def test_a_damaged_medium_is_told_and_looked_at_again(shell: InitrdShell) -> None:
    with_media(shell, {"sda": IMAGE[:-1] + b"x"})
    script = f"IMAGE=LABEL=NODE_1 IMAGE_SHA256={SHA} IMAGE_SIZE=\nsleep() {{ exit 7; }}\nobtain_by_label"
    said = shell.run(script)
    assert said.returncode == 7
    assert "/live/root.squashfs is damaged or another image" in said.stdout
    assert f"SHA-256 expected: {SHA}" in shell.console("tty0")
    assert "looking again in 10 s" in said.stdout


def test_a_missing_device_is_waited_for_with_words(shell: InitrdShell) -> None:
    shell.program("lsblk", "echo '/dev/sda 8G OTHER'")
    script = (
        "IMAGE=LABEL=NODE_1 IMAGE_SHA256= IMAGE_SIZE=\nsleep() { ((++slept < 12)) || exit 7; }\nslept=0\n"
    )
    said = shell.run(f"{script}obtain_by_label")
    assert said.returncode == 7
    assert "No device with LABEL=NODE_1 after 10 s. Block devices: /dev/sda 8G OTHER" in said.stdout


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (IMAGE + b"rest of the partition", ""),
        (b"x" + IMAGE[1:], "is damaged or another one"),
        (IMAGE[:-1], "less than the 100004 of node.image.size"),
    ],
)
def test_a_slot_is_checked_to_the_images_length(shell: InitrdShell, contents: bytes, words: str) -> None:
    slot = shell.folder / "dev/sda4"
    slot.write_bytes(contents)
    shell.program("lsblk", f"echo '{slot} 8AED2FFB-01'")
    shell.program("blockdev", "stat -c %s $2")
    script = f"IMAGE=PARTUUID=8aed2ffb-01 IMAGE_SHA256={SHA} IMAGE_SIZE={len(IMAGE)}\nsleep() {{ exit 7; }}\n"
    said = shell.run(f"{script}obtain_by_partition")
    assert said.returncode == (7 if words else 0)
    assert words in said.stdout


@pytest.mark.parametrize(
    ("kind", "found"),
    [("slot", ["/dev/sda7"]), ("url", ["/dev/sda7", "/dev/sdc2"])],
)
def test_config_is_known_by_name_and_type_and_a_slot_takes_that_of_its_disk(
    shell: InitrdShell, kind: str, found: list[str]
) -> None:
    shell.program("lsblk", f"case $* in *--nodeps*) echo /dev/sda ;; *) cat <<'END'\n{PARTITIONS}END\nesac")
    said = shell.run(f"IMAGE_KIND={kind} ROOT_DEVICE=/dev/sda4\nconfig_devices")
    assert said.stdout.split() == found


def test_several_configs_are_an_alarm_and_none_is_used(shell: InitrdShell) -> None:
    shell.program("lsblk", f"cat <<'END'\n{PARTITIONS}END")
    shell.program("mount", "exit 1")
    said = shell.run("IMAGE_KIND=url ROOT_DEVICE=\nmount_config")
    assert said.returncode == 0
    alarm = (shell.folder / "run/alarms").read_text()
    assert "Several disks have a CONFIG partition (/dev/sda7 /dev/sdc2)" in alarm


@pytest.mark.parametrize(
    ("fsck", "mount", "alarm"),
    [
        ("exit 0", "exit 0", ""),
        ("exit 1", "exit 0", ""),
        ("[[ $1 == -p ]] && exit 4; exit 1", "exit 0", "had errors; they were mended"),
        ("exit 4", "exit 0", "can't be mounted"),
        ("exit 0", "exit 32", "can't be mounted"),
    ],
)
def test_config_is_checked_before_it_is_mounted(
    shell: InitrdShell, fsck: str, mount: str, alarm: str
) -> None:
    shell.program("lsblk", f"case $* in *--nodeps*) echo /dev/sda ;; *) cat <<'END'\n{PARTITIONS}END\nesac")
    shell.program("e2fsck", fsck)
    shell.program("mount", mount)
    said = shell.run("IMAGE_KIND=slot ROOT_DEVICE=/dev/sda4\nmount_config")
    assert said.returncode == 0, said.stderr
    alarms = shell.folder / "run/alarms"
    assert alarm in (alarms.read_text() if alarm else "")
    assert alarms.exists() == bool(alarm)
    mounted = "can't be mounted" not in alarm
    assert (shell.folder / "run/config-device").exists() == mounted


def test_the_machine_id_is_made_once_and_kept(shell: InitrdShell) -> None:
    shell.write("proc/sys/kernel/random/uuid", "01234567-89ab-4cde-8f01-23456789abcd\n")
    shell.write("sysroot/config/node.yaml", "version: 1\n")
    for uuid in ("01234567-89ab-4cde-8f01-23456789abcd", "ffffffff-ffff-4fff-8fff-ffffffffffff"):
        shell.write("proc/sys/kernel/random/uuid", f"{uuid}\n")
        assert shell.run("keep_machine_id").returncode == 0
        for name in ("config/machine-id", "etc/machine-id"):
            assert (shell.folder / "sysroot" / name).read_text() == "0123456789ab4cde8f0123456789abcd\n"


def test_config_without_a_state_keeps_no_machine_id(shell: InitrdShell) -> None:
    shell.write("sysroot/config/lost", "")
    assert shell.run("keep_machine_id").returncode == 0
    assert not (shell.folder / "sysroot/config/machine-id").exists()


@pytest.mark.parametrize(
    ("kind", "location", "told"),
    [
        ("url", 'http://me:s3cret@h/a"b', 'http://h/a"b'),
        ("slot", "PARTUUID=1", "PARTUUID=1"),
    ],
)
def test_word_is_left_for_the_node(shell: InitrdShell, kind: str, location: str, told: str) -> None:
    script = (
        f"IMAGE='{location}' IMAGE_KIND={kind} IMAGE_SHA256={SHA} ROOT_PATH=/p ROOT_SIZE=12 ROOT_DEVICE=\n"
    )
    assert shell.run(f"{script}write_image_json").returncode == 0
    document = json.loads((shell.folder / "run/image.json").read_text())
    assert (document["source"], document["location"], document["sha256"]) == (kind, told, SHA)
    assert (document["size"], document["path"], document["device"]) == (12, "/p", None)
    assert document["kernel"]
    assert (shell.folder / "run/slot").exists() == (kind == "slot")
