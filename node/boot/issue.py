"""What stands above the login prompt: version, addresses, virtualization hardware. Run by nodecrust-issue."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from node.boot.alarms import read_alarms
from node.boot.image_facts import RunningImage, is_stateless, running_image

ISSUE = Path("/run/issue.d/nodecrust.issue")
ADDRESS_WAIT_S = 5.0
QUIET_S = 2.0


def addresses(interfaces: list[dict[str, object]]) -> list[tuple[str, list[str]]]:
    """Give each interface with its global addresses, from what `ip -json address` prints."""
    found = []
    for interface in interfaces:
        infos = interface.get("addr_info") or []
        assert isinstance(infos, list)
        own = [str(info["local"]) for info in infos if info.get("scope") == "global" and "local" in info]
        if own:
            found.append((str(interface.get("ifname", "?")), own))
    return found


def virtualization(cpuinfo: str) -> str:
    """Say whether the processor helps VMs. Linux hides the flags where the firmware has switched that off."""
    flags = {flag for line in cpuinfo.splitlines() if line.startswith("flags") for flag in line.split()}
    name = "Intel VT-x" if "vmx" in flags else "AMD-V" if "svm" in flags else ""
    return f"{name} is there" if name else "not there, or switched off in the firmware"


def issue_text(
    image: RunningImage,
    cards: list[tuple[str, list[str]]],
    hardware: str,
    alarms: list[str],
    *,
    stateless: bool = False,
) -> str:
    """Give the text, ASCII and free of what agetty would take for an escape, but for two that are meant."""
    title = " ".join(part for part in ("Nodecrust", image.name, image.version) if part)
    where = {
        "slot": f"running from slot {image.slot}",
        "url": "running from memory",
        "medium": "running live",
    }
    if place := where.get(image.source, ""):
        title += f", {place}"
    lines = [f"{_plain(title)} - \\n (\\l)"]
    if not cards:
        lines.append("  Address         none yet")
    for card, own in cards:
        lines.append(f"  Address         {_plain(', '.join(own))} on {_plain(card)}")
    lines.append(f"  Virtualization  {_plain(hardware)}")
    if stateless:
        lines.append("  Configuration   none is kept; a reboot forgets all")
    lines += [f"  ALARM           {_plain(alarm)}" for alarm in alarms]
    return "\n".join(lines) + "\n\n"


def _plain(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\\", "\\\\")


def current_addresses() -> list[tuple[str, list[str]]]:
    """Ask `ip`; nothing where that fails."""
    said = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, timeout=20, check=False)
    try:
        interfaces = json.loads(said.stdout)
    except ValueError:
        return []
    return addresses(interfaces if isinstance(interfaces, list) else [])


def any_link(net: Path = Path("/sys/class/net")) -> bool:
    """Whether a card has a link, so that an address may be on its way."""
    for card in net.glob("*/carrier"):
        try:
            if card.parent.name != "lo" and card.read_text(encoding="ascii").strip() == "1":
                return True
        except OSError:  # a card that is down says EINVAL
            continue
    return False


def settle_addresses() -> list[tuple[str, list[str]]]:
    """Give the addresses; wait a little for the first one where a cable is plugged in, never long."""
    deadline = time.monotonic() + ADDRESS_WAIT_S
    while not (cards := current_addresses()) and any_link() and time.monotonic() < deadline:
        time.sleep(0.3)
    return cards


def show(cards: list[tuple[str, list[str]]]) -> None:
    """Write the text; show the prompts anew where it changed."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    text = issue_text(
        running_image(), cards, virtualization(cpuinfo), read_alarms(), stateless=is_stateless()
    )
    before = ISSUE.read_text(encoding="ascii") if ISSUE.exists() else None
    if text == before:
        return
    ISSUE.parent.mkdir(parents=True, exist_ok=True)
    new = ISSUE.with_suffix(".new")
    new.write_text(text, encoding="ascii")
    new.replace(ISSUE)
    if before is not None:
        subprocess.run(["agetty", "--reload"], timeout=20, check=False)


def follow() -> None:
    """Show the addresses until they stay as they are, since several change together."""
    shown = None
    while shown != (cards := current_addresses()):
        show(cards)
        shown = cards
        time.sleep(QUIET_S)


def main() -> int:
    """Show the first addresses, or with `--follow` those that a change brought."""
    if "--follow" in sys.argv[1:]:
        follow()
    else:
        show(settle_addresses())
    return 0


if __name__ == "__main__":
    sys.exit(main())
