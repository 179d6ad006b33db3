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


OTHER = "8d1f4a39-5f3c-4e5a-9d0b-6e6f64650003"


def with_partitions(shell: InitrdShell, *lines: tuple[str, str, str, str]) -> None:
    """Let lsblk name partitions by path, label, type and disk; /dev/sda is the disk of /dev/sda4."""
    text = "".join(
        f'PATH="{path}" PARTLABEL="{label}" PARTTYPE="{kind}" PKNAME="{disk}"\n'
        for path, label, kind, disk in lines
    )
    shell.program("lsblk", f"case $* in *--nodeps*) echo /dev/sda ;; *) cat <<'END'\n{text}END\nesac")


def config(path: str) -> tuple[str, str, str, str]:
    return (path, "CONFIG", CONFIG.upper() if path.startswith("/dev/sdc") else CONFIG, path[:8])


SLOT = ("/dev/sda4", "ROOT-A", "8d1f4a39-5f3c-4e5a-9d0b-6e6f64650000", "/dev/sda")
LABEL_ONLY = ("/dev/sdd1", "CONFIG", "0fc63daf-8483-4772-8e79-3d69d8477de4", "/dev/sdd")
DATA = ("/dev/sdb2", "DATA", OTHER, "/dev/sdb")
NO_TABLE = ("/dev/sde", "", "", "")


@pytest.mark.parametrize(
    ("kind", "partitions", "chosen", "alarm"),
    [
        ("slot", [SLOT, config("/dev/sda7"), LABEL_ONLY], "/dev/sda7", ""),
        ("slot", [config("/dev/sdc2"), SLOT, config("/dev/sda7")], "/dev/sda7",
         "Another disk has a CONFIG partition too (/dev/sdc2). It is not used: this node's is /dev/sda7"),
        ("slot", [SLOT], "", "/dev/sda, which this node runs from, has no CONFIG partition"),
        ("slot", [SLOT, config("/dev/sdc2")], "", "Those of other disks are not used: /dev/sdc2."),
        ("slot", [SLOT, config("/dev/sda7"), config("/dev/sda8")], "", "has several CONFIG partitions"),
        ("url", [config("/dev/sdc2"), LABEL_ONLY, DATA], "/dev/sdc2", ""),
        ("url", [], "", ""),
        ("url", [LABEL_ONLY, NO_TABLE], "", ""),
        ("url", [DATA], "", "/dev/sdb has partitions of a node and no disk has CONFIG"),
        ("medium", [SLOT], "", "/dev/sda has partitions of a node and no disk has CONFIG"),
        ("url", [config("/dev/sda7"), config("/dev/sdc2")], "",
         "Several disks have a CONFIG partition (/dev/sda7 /dev/sdc2), so none is used"),
    ],
)  # fmt: skip
def test_config_of_the_right_disk(
    shell: InitrdShell, kind: str, partitions: list[tuple[str, str, str, str]], chosen: str, alarm: str
) -> None:
    with_partitions(shell, *partitions)
    shell.program("mount", "exit 1")
    said = shell.run(
        f'IMAGE_KIND={kind} ROOT_DEVICE=/dev/sda4\nchoose_config >&2\nprintf "%s" "$CONFIG_DEVICE"'
    )
    assert said.stdout == chosen
    alarms = shell.folder / "run/alarms"
    assert alarm in (alarms.read_text() if alarm else "")
    assert alarms.exists() == bool(alarm)


def late(shell: InitrdShell, *, after: int, before: str = "") -> None:
    """Have /dev/sdc2, a CONFIG, come after so many looks; until then `before` is there."""
    with_partitions(shell, config("/dev/sdc2"))
    (shell.folder / "bin/lsblk").rename(shell.folder / "bin/lsblk-then")
    shell.program(
        "lsblk",
        f"case $* in *--pairs*) echo x >>{shell.folder}/looks ;; *) exit ;; esac\n"
        f'[[ $(wc -l <{shell.folder}/looks) -gt {after} ]] && exec {shell.folder}/bin/lsblk-then "$@"\n'
        f"printf '%s' '{before}'",
    )


def wait(shell: InitrdShell, kind: str = "url", cmdline: str = "") -> str:
    shell.write("proc/cmdline", f"node.image=http://h/r node.image.trust=network {cmdline}\n")
    said = shell.run(
        f"read_request\nIMAGE_KIND={kind} ROOT_DEVICE=/dev/sda4\nwait_for_config\nchoose_config\n"
        'printf "<%s>" "$CONFIG_DEVICE"'
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_a_disk_that_comes_late_is_waited_for_where_config_is_expected(shell: InitrdShell) -> None:
    late(shell, after=25)
    said = wait(shell, cmdline="node.config.wait=60")
    assert said.endswith("</dev/sdc2>")
    assert said.count("Waiting for the disk with the partition CONFIG") == 3
    assert "20 of 60 s (node.config.wait=60)" in shell.console()
    assert not (shell.folder / "run/alarms").exists()


def test_the_wait_has_an_end_and_an_alarm(shell: InitrdShell) -> None:
    late(shell, after=100)
    assert wait(shell, cmdline="node.config.wait=12").endswith("<>")
    assert "came within the 12 s of node.config.wait" in (shell.folder / "run/alarms").read_text()


def test_nothing_is_waited_for_where_nothing_is_expected(shell: InitrdShell) -> None:
    late(shell, after=5)
    assert wait(shell) == "<>"


def test_other_partitions_of_a_node_say_that_config_is_to_come(shell: InitrdShell) -> None:
    late(
        shell,
        after=5,
        before='PATH="/dev/sdb2" PARTLABEL="DATA" PARTTYPE="' + OTHER + '" PKNAME="/dev/sdb"\n',
    )
    said = wait(shell)
    assert "0 of 30 s (a disk here has other partitions of a node)" in said
    assert said.endswith("</dev/sdc2>")


def test_a_slot_waits_for_no_other_disk(shell: InitrdShell) -> None:
    late(shell, after=5)
    assert "Waiting" not in wait(shell, kind="slot", cmdline="node.config.wait=60")


@pytest.mark.parametrize(
    ("uuid", "machines", "chosen"),
    [
        ("4c4c4544-0001", {"sda7": "4c4c4544-0001", "sdc2": "4c4c4544-0002"}, "/dev/sda7"),
        ("4C4C4544-0002", {"sda7": "4c4c4544-0001", "sdc2": "'4c4c4544-0002'"}, "/dev/sdc2"),
        ("4c4c4544-0002", {"sda7": "", "sdc2": "4c4c4544-0002"}, "/dev/sdc2"),
        ("4c4c4544-0001", {"sda7": "4c4c4544-0001", "sdc2": "4c4c4544-0001"}, ""),
        ("4c4c4544-0003", {"sda7": "4c4c4544-0001", "sdc2": "4c4c4544-0002"}, ""),
        ("00000000-0000", {"sda7": "00000000-0000", "sdc2": "4c4c4544-0002"}, ""),
        ("FFFFFFFF-FFFF", {"sda7": "ffffffff-ffff", "sdc2": "4c4c4544-0002"}, ""),
        ("", {"sda7": "4c4c4544-0001", "sdc2": ""}, ""),
    ],
)
def test_of_two_configs_that_of_this_machine_is_taken(
    shell: InitrdShell, uuid: str, machines: dict[str, str], chosen: str
) -> None:
    with_partitions(shell, config("/dev/sda7"), config("/dev/sdc2"))
    if uuid:
        shell.write("sys/class/dmi/id/product_uuid", f"{uuid}\n")
    for name, machine in machines.items():
        line = f"  machine: {machine}\n" if machine else ""
        shell.write(f"disks/{name}/node.yaml", f"version: 1\ninstall:\n  id: x\n{line}sections: {{}}\n")
    # mount -t ext4 -o OPTIONS DEVICE WHERE
    shell.program("mount", f'cp {shell.folder}/disks/"${{5##*/}}"/node.yaml "$6"/')
    shell.program("umount", 'rm -f "$1"/node.yaml')
    said = shell.run('IMAGE_KIND=url ROOT_DEVICE=\nchoose_config >&2\nprintf "%s" "$CONFIG_DEVICE"')
    assert said.stdout == chosen
    alarm = (shell.folder / "run/alarms").read_text()
    assert ("it was installed on this machine" in alarm) == bool(chosen)
    assert ("so none is used" in alarm) != bool(chosen)


ROOT = "8d1f4a39-5f3c-4e5a-9d0b-6e6f64650000"


@pytest.mark.parametrize(
    ("kind", "root", "told"),
    [
        ("url", ("/dev/sda4", "ROOT-A", ROOT.upper(), "/dev/sda"), "/dev/sda\n"),
        ("medium", ("/dev/sda5", "ROOT-B", ROOT, "/dev/sda"), "/dev/sda\n"),
        # Another disk's root is no part of this node, and a node without one runs from the network.
        ("url", ("/dev/sdb4", "ROOT-A", ROOT, "/dev/sdb"), ""),
        ("url", ("/dev/sda8", "DATA", OTHER, "/dev/sda"), ""),
        ("slot", ("/dev/sda4", "ROOT-A", ROOT, "/dev/sda"), ""),
    ],
)
def test_a_root_beside_config_that_was_not_booted_is_told(
    shell: InitrdShell, kind: str, root: tuple[str, str, str, str], told: str
) -> None:
    with_partitions(shell, root, config("/dev/sda7"))
    shell.program("e2fsck", "exit 0")
    shell.program("mount", "exit 0")
    said = shell.run(f"IMAGE_KIND={kind} ROOT_DEVICE=/dev/sda4\nmount_config")
    assert said.returncode == 0, said.stderr
    word = shell.folder / "run/own-root"
    assert (word.read_text() if word.exists() else "") == told


@pytest.mark.parametrize(
    ("fsck", "mount", "alarm", "options"),
    [
        ("exit 0", "exit 0", "", "rw"),
        ("exit 1", "exit 0", "", "rw"),
        ("[[ $1 == -p ]] && exit 4; exit 1", "exit 0", "had errors; they were mended", "rw"),
        ("exit 4", "exit 0", "can only be read", "ro,noload"),
        ("exit 0", "[[ $4 == ro* ]] || exit 32", "can only be read", "ro,noload"),
        ("exit 0", "exit 32", "can't be mounted", ""),
    ],
)
def test_config_is_checked_before_it_is_mounted(
    shell: InitrdShell, fsck: str, mount: str, alarm: str, options: str
) -> None:
    with_partitions(shell, SLOT, config("/dev/sda7"))
    shell.program("e2fsck", fsck)
    shell.program("mount", f'echo "$4" >{shell.folder}/options; {mount}')
    said = shell.run("IMAGE_KIND=slot ROOT_DEVICE=/dev/sda4\nmount_config")
    assert said.returncode == 0, said.stderr
    alarms = shell.folder / "run/alarms"
    assert alarm in (alarms.read_text() if alarm else "")
    assert alarms.exists() == bool(alarm)
    assert (shell.folder / "run/config-device").exists() == bool(options)
    if options:
        wanted = f"{options},noatime,nodev,nosuid,noexec"
        assert (shell.folder / "options").read_text().strip() == wanted


def test_the_machine_id_is_made_once_and_kept(shell: InitrdShell) -> None:
    shell.write("proc/sys/kernel/random/uuid", "01234567-89ab-4cde-8f01-23456789abcd\n")
    shell.write("sysroot/config/node.yaml", "version: 1\n")
    for uuid in ("01234567-89ab-4cde-8f01-23456789abcd", "ffffffff-ffff-4fff-8fff-ffffffffffff"):
        shell.write("proc/sys/kernel/random/uuid", f"{uuid}\n")
        assert shell.run("keep_machine_id").returncode == 0
        for name in ("config/machine-id", "etc/machine-id"):
            assert (shell.folder / "sysroot" / name).read_text() == "0123456789ab4cde8f0123456789abcd\n"


def test_the_machine_id_stays_where_the_state_is_lost(shell: InitrdShell) -> None:
    shell.write("sysroot/config/machine-id", "0123456789ab4cde8f0123456789abcd\n")
    assert shell.run("keep_machine_id").returncode == 0
    assert (shell.folder / "sysroot/etc/machine-id").read_text() == "0123456789ab4cde8f0123456789abcd\n"


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
