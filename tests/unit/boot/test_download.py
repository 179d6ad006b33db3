"""The fetching of the root image: the real script and the real curl against a server with faults."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest

from tests.unit.boot.initrd_shell import InitrdShell
from tests.unit.boot.range_server import Faults, RangeServer

pytestmark = pytest.mark.effects("processes", "sockets")

IMAGE = bytes(range(256)) * 4096  # 1 MiB
SHA = hashlib.sha256(IMAGE).hexdigest()


@pytest.fixture
def shell(tmp_path: Path) -> InitrdShell:
    machine = InitrdShell(tmp_path / "machine", {"RETRY_MAX_S": "1"})
    # Time is not what is tested, so that nothing waits for it.
    machine.program("sleep", "case $1 in 15 | 30) exec /bin/sleep 0.1 ;; esac; exec /bin/sleep 0.05")
    machine.program("mount", 'printf "%s\\n" "$*" >>"$NODE_RUN/mounts"')
    machine.program("mountpoint", "exit 0")
    machine.write("proc/net/route", "Iface\nens3\n")
    return machine


@pytest.fixture
def www(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "root.squashfs").write_bytes(IMAGE)
    return folder


def obtain(shell: InitrdShell, url: str, *, sha256: str = SHA, size: str = "", timeout_s: float = 30) -> str:
    script = (
        f"IMAGE={url} IMAGE_KIND=url IMAGE_SHA256={sha256} IMAGE_SIZE={size}\nwrite_resolv_conf() {{ :; }}\n"
    )
    said = shell.run(f"{script}obtain_by_url\nprintf 'SIZE %s\\n' \"$ROOT_SIZE\"", timeout_s=timeout_s)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stderr == ""
    assert f"SIZE {len(IMAGE)}" in said.stdout
    assert (shell.folder / "fetched/root.squashfs").read_bytes() == IMAGE
    assert "remount,ro" in (shell.folder / "run/mounts").read_text()
    return said.stdout


@pytest.mark.parametrize("size", ["", str(len(IMAGE))])
def test_a_good_server(shell: InitrdShell, www: Path, size: str) -> None:
    with RangeServer(www) as server:
        obtain(shell, f"{server.url}/root.squashfs", size=size)
        methods = [method for method, _, _ in server.served.requests]
    assert methods == (["GET"] if size else ["HEAD", "GET"])
    assert "It has 1.0 MB." in shell.console()


def test_how_far_it_is_stands_on_every_console(shell: InitrdShell, www: Path) -> None:
    """Curl and time are fake: a third of the image comes between two looks."""
    file = shell.folder / "fetched/part"
    shell.program("curl", f"until [[ -e {shell.folder}/whole ]]; do /bin/sleep 0.02; done")
    shell.program(
        "sleep",
        f"echo $1 >>{shell.folder}/slept; head -c 300000 /dev/zero >>{file}; "
        f"[[ $(wc -l <{shell.folder}/slept) -lt 6 ]] || : >{shell.folder}/whole; exec /bin/sleep 0.05",
    )
    script = "curl_options http://h/r\nPROGRESS_LINES=4\n"
    said = shell.run(f"{script}fetch_once http://h/r {file} 1800000")
    assert said.returncode == 0, said.stderr
    for console in ("tty0", "ttyS0"):
        assert "Fetching the root image: 0.3 MB of 1.8 MB, 0.1 MB/s" in shell.console(console)
        assert "Fetching the root image: 1.2 MB of 1.8 MB, 0.1 MB/s" in shell.console(console)
    # A line every 3 s, and every 30 s once it goes on for long.
    assert (shell.folder / "slept").read_text().split()[:5] == ["3", "3", "3", "3", "30"]


def test_goes_on_where_the_server_went_away(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www, Faults(cut_after=[300_000, 200_000])) as server:
        said = obtain(shell, f"{server.url}/root.squashfs")
        ranges = [wanted for method, _, wanted in server.served.requests if method == "GET"]
    assert ranges == ["", "bytes=300000-", "bytes=500000-"]
    assert "Fetching stopped at 0.3 MB" in said
    assert "Trying again in 1 s" in said


def test_a_server_without_ranges(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www, Faults(ranges=False, cut_after=[300_000])) as server:
        said = obtain(shell, f"{server.url}/root.squashfs")
    assert "can't go on where we stopped; beginning anew" in said


def test_a_server_without_head(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www, Faults(head=False)) as server:
        obtain(shell, f"{server.url}/root.squashfs")


def test_a_server_that_says_no_for_a_while(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www, Faults(statuses=[503, 404])) as server:
        said = obtain(shell, f"{server.url}/root.squashfs")
    assert "503" in said
    assert "404" in said


def test_a_corrupted_image_is_thrown_away_and_fetched_anew(shell: InitrdShell, www: Path) -> None:
    image = www / "root.squashfs"
    image.write_bytes(b"x" + IMAGE[1:])
    # The bad one is replaced while the script pauses.
    good = www / "good"
    good.write_bytes(IMAGE)
    shell.program("sleep", f"[[ $1 != 15 ]] || cp {good} {image}; exec /bin/sleep 0.05")
    with RangeServer(www) as server:
        said = obtain(shell, f"{server.url}/root.squashfs")
    assert f"SHA-256 expected: {SHA}" in said
    assert f"SHA-256 found:    {hashlib.sha256(b'x' + IMAGE[1:]).hexdigest()}" in said
    assert "nothing was written; trying again" in said
    assert f"SHA-256 expected: {SHA}" in shell.console()


def test_a_truncated_image(shell: InitrdShell, www: Path) -> None:
    image = www / "root.squashfs"
    image.write_bytes(IMAGE[:-1000])
    good = www / "good"
    good.write_bytes(IMAGE)
    shell.program("sleep", f"[[ $1 != 1 ]] || cp {good} {image}; exec /bin/sleep 0.05")
    with RangeServer(www) as server:
        said = obtain(shell, f"{server.url}/root.squashfs", size=str(len(IMAGE)))
    assert "the connection ended early" in said


def test_an_image_that_grew(shell: InitrdShell, www: Path) -> None:
    image = www / "root.squashfs"
    image.write_bytes(IMAGE + b"more")
    good = www / "good"
    good.write_bytes(IMAGE)
    shell.program("sleep", f"[[ $1 != 1 ]] || cp {good} {image}; exec /bin/sleep 0.05")
    with RangeServer(www) as server:
        said = obtain(shell, f"{server.url}/root.squashfs", size=str(len(IMAGE)))
    assert f"of another length than {len(IMAGE)} bytes" in said


def test_a_dead_server_is_named_and_asked_again(shell: InitrdShell, www: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shell.write("proc/net/route", "Iface\nlo\n")
    script = f"IMAGE=http://127.0.0.1:{port}/r IMAGE_SHA256= IMAGE_SIZE=\nwrite_resolv_conf() {{ :; }}\n"
    script += "sleep() { ((++slept < 9)) || exit 7; }\nslept=0\n"
    said = shell.run(f'{script}fetch_image "$IMAGE" {shell.folder}/fetched/r')
    assert said.returncode == 7
    assert f"Failed to connect to 127.0.0.1 port {port}" in said.stdout


def test_too_big_for_the_memory(shell: InitrdShell, www: Path) -> None:
    shell.write("proc/meminfo", "MemAvailable: 66000 kB\n")
    with RangeServer(www) as server:
        script = f"IMAGE={server.url}/root.squashfs IMAGE_SHA256= IMAGE_SIZE=\nwrite_resolv_conf() {{ :; }}\n"
        said = shell.run(f'{script}sleep() {{ exit 7; }}\nfetch_image "$IMAGE" {shell.folder}/fetched/r')
        assert [method for method, _, _ in server.served.requests] == ["HEAD"]
    assert said.returncode == 7
    # 1 MiB and a reserve of 64 MiB, less 66000 KiB
    assert "1.0 MB, which is 0.5 MB more than this machine's memory has room for" in said.stdout


def test_a_password_in_the_url_is_not_shown(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www) as server:
        said = obtain(shell, f"{server.url.replace('//', '//me:s3cret@')}/root.squashfs")
    assert "s3cret" not in said
    assert "s3cret" not in shell.console()


def test_waits_for_an_address_with_words(shell: InitrdShell) -> None:
    shell.write("proc/net/route", "Iface\n")
    shell.write("sys/class/net/eth0/type", "1\n")
    shell.write("sys/class/net/eth0/carrier", "0\n")
    shell.write("sys/class/net/lo/type", "772\n")
    script = (
        'sleep() { SECONDS=$((SECONDS + 2)); ((++slept < 9)) || echo eth0 >>"$PROC/net/route"; }\nslept=0\n'
    )
    said = shell.run(f"{script}wait_for_address")
    assert said.returncode == 0
    assert "Waiting for a network address since 6 s: eth0 (no link)" in said.stdout
