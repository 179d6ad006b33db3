"""The network of the initrd: what the kernel command line says, as files of systemd-networkd or in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.boot.initrd_shell import InitrdShell

pytestmark = pytest.mark.effects("processes")

EARLY = "70-nodecrust-early-"


@pytest.fixture
def shell(tmp_path: Path) -> InitrdShell:
    machine = InitrdShell(tmp_path / "machine")
    machine.program("udevadm", "exit 0")
    return machine


def files(shell: InitrdShell, words: str) -> dict[str, str]:
    """The files that a kernel command line makes, by name without what is the same in all of them."""
    shell.write("proc/cmdline", f"node.image=LABEL=X {words}\n")
    said = shell.run('read_request; prepare_network; printf "%s\\n" "${REQUEST_PROBLEMS[@]}"')
    assert said.stdout.strip() == ""
    assert said.stderr == ""
    made = {path.name: path.read_text() for path in (shell.folder / "networks").iterdir()}
    assert all(name.startswith(EARLY) for name in made)
    return {name.removeprefix(EARLY): text for name, text in made.items()}


def problems(shell: InitrdShell, words: str) -> str:
    return shell.request(f"node.image=LABEL=X {words}")["REQUEST_PROBLEMS"]


DHCP4 = "\n[DHCPv4]\nClientIdentifier=mac\nSendRelease=no\nUseDomains=yes\n"
BY_ROUTER = "\n[IPv6AcceptRA]\nDHCPv6Client=yes\n"
BY_DHCP = f"\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n{DHCP4}{BY_ROUTER}"
BARE = "\n[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"


def named(name: str) -> str:
    return f"[Match]\nName={name}\n"


@pytest.mark.parametrize(
    ("words", "name", "text"),
    [
        ("ip=eth0:dhcp", "eth0", named("eth0") + BY_DHCP),
        ("ip=dhcp", "any", "[Match]\nType=ether\nKind=!*\n" + BY_DHCP),
        (
            "ip=dhcp BOOTIF=01-52-54-00-00-00-01",
            "boot",
            "[Match]\nMACAddress=52:54:00:00:00:01\nType=ether\nKind=!*\n" + BY_DHCP,
        ),
        (
            "ip=192.0.2.2::192.0.2.1:255.255.254.0:node7:eth0:none",
            "eth0",
            f"{named('eth0')}{BARE}\n[Address]\nAddress=192.0.2.2/23\n\n[Route]\nGateway=192.0.2.1\n",
        ),
        (  # pxelinux' IPAPPEND: the second field is the boot server
            "ip=192.0.2.2:192.0.2.9:192.0.2.1:255.255.255.0 BOOTIF=52:54:00:00:00:01",
            "boot",
            f"[Match]\nMACAddress=52:54:00:00:00:01\nType=ether\nKind=!*\n{BARE}"
            "\n[Address]\nAddress=192.0.2.2/24\n\n[Route]\nGateway=192.0.2.1\n",
        ),
        (
            "ip=192.0.2.2:198.51.100.1/32:198.51.100.1::h:eth0:off",
            "eth0",
            f"{named('eth0')}{BARE}\n[Address]\nAddress=192.0.2.2/32\nPeer=198.51.100.1/32\n"
            "\n[Route]\nGateway=198.51.100.1\nGatewayOnLink=yes\n",
        ),
        (
            "ip=[2001:db8::2]::[2001:db8::1]:64::eth0:none:[2001:db8::53]:192.0.2.53",
            "eth0",
            f"{named('eth0')}\n[Network]\nDHCP=no\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n"
            "DNS=2001:db8::53\nDNS=192.0.2.53\n"
            "\n[Address]\nAddress=2001:db8::2/64\n\n[Route]\nGateway=2001:db8::1\n",
        ),
        (
            "ip=192.0.2.2:::24::eth0:none:1400:52:54:00:00:00:02",
            "eth0",
            f"{named('eth0')}\n[Link]\nMTUBytes=1400\nMACAddress=52:54:00:00:00:02\n{BARE}"
            "\n[Address]\nAddress=192.0.2.2/24\n",
        ),
        (
            "ip=eth0:dhcp:1400:52:54:00:00:00:02",
            "eth0",
            f"{named('eth0')}\n[Link]\nMTUBytes=1400\nMACAddress=52:54:00:00:00:02\n{BY_DHCP}",
        ),
        (
            "ip=eth0:auto6",
            "eth0",
            f"{named('eth0')}\n[Network]\nDHCP=no\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n"
            "\n[IPv6AcceptRA]\nDHCPv6Client=no\n",
        ),
        (
            "ip=eth0:dhcp6 rd.peerdns=0 nameserver=[2001:db8::53]",
            "eth0",
            f"{named('eth0')}\n[Network]\nDHCP=ipv6\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n"
            "DNS=2001:db8::53\n\n[DHCPv6]\nSendRelease=no\nWithoutRA=solicit\nUseDNS=no\n"
            "\n[IPv6AcceptRA]\nDHCPv6Client=yes\nUseDNS=no\n",
        ),
        (
            "ip=eth0:link6",
            "eth0",
            f"{named('eth0')}\n[Network]\nDHCP=no\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n",
        ),
        (  # IPv4 and IPv6 of one card
            "ip=eth0:dhcp ip=eth0:auto6 rd.route=198.51.100.0/24:192.0.2.9",
            "eth0",
            f"{named('eth0')}\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n"
            f"\n[Route]\nDestination=198.51.100.0/24\nGateway=192.0.2.9\n{DHCP4}{BY_ROUTER}",
        ),
        ("ip=eth0:none rd.route=[2001:db8:3::/48]::eth0", "eth0",
         f"{named('eth0')}{BARE}\n[Route]\nDestination=2001:db8:3::/48\n"),
    ],
)  # fmt: skip
def test_an_address_in_every_form(shell: InitrdShell, words: str, name: str, text: str) -> None:
    assert files(shell, words) == {f"{name}.network": text}


def made_as(name: str, kind: str, more: str) -> str:
    mac = "" if kind == "vlan" else "MACAddress=none\n"
    return f"[NetDev]\nName={name}\nKind={kind}\n{mac}{more}"


def test_a_vlan_on_a_bond_below_a_bridge(shell: InitrdShell) -> None:
    found = files(
        shell,
        "bond=bond0:eth0,eth1:mode=802.3ad,miimon=100,lacp_rate=fast,xmit_hash_policy=layer3+4:9000"
        " vlan=bond0.0005:bond0 bridge=br0:bond0.0005,eth2 ip=192.0.2.2::192.0.2.1:24::br0:none",
    )
    bond = "[Bond]\nMode=802.3ad\nMIIMonitorSec=100ms\nLACPTransmitRate=fast\nTransmitHashPolicy=layer3+4\n"
    assert found == {
        "bond0.netdev": made_as("bond0", "bond", f"MTUBytes=9000\n\n{bond}"),
        "bond0.network": f"{named('bond0')}\n[Link]\nMTUBytes=9000\n{BARE}VLAN=bond0.0005\n",
        "bond0.link": "[Match]\nOriginalName=bond0\n\n[Link]\nMACAddressPolicy=none\n",
        "eth0.network": f"{named('eth0')}{BARE}Bond=bond0\n",
        "eth1.network": f"{named('eth1')}{BARE}Bond=bond0\n",
        "bond0.0005.netdev": made_as("bond0.0005", "vlan", "\n[VLAN]\nId=5\n"),
        "bond0.0005.network": f"{named('bond0.0005')}{BARE}Bridge=br0\n",
        "br0.netdev": made_as("br0", "bridge", "\n[Bridge]\nSTP=no\n"),
        "br0.network": f"{named('br0')}{BARE}"
        "\n[Address]\nAddress=192.0.2.2/24\n\n[Route]\nGateway=192.0.2.1\n",
        "br0.link": "[Match]\nOriginalName=br0\n\n[Link]\nMACAddressPolicy=none\n",
        "eth2.network": f"{named('eth2')}{BARE}Bridge=br0\n",
    }
    links = (shell.folder / "run/early-links").read_text().split()
    assert links[:4] == ["bond", "bond0", "card", "eth0"]


@pytest.mark.parametrize(
    ("word", "bond", "ports"),
    [
        ("bond", "bond0", {"eth0", "eth1"}),
        ("bond=", "bond0", {"eth0", "eth1"}),
        ("bond=b1:ens3,ens4", "b1", {"ens3", "ens4"}),
    ],
)
def test_what_dracut_takes_for_granted(shell: InitrdShell, word: str, bond: str, ports: set[str]) -> None:
    found = files(shell, word)
    assert found[f"{bond}.netdev"] == made_as(bond, "bond", "\n[Bond]\nMode=balance-rr\n")
    # DHCP where nothing is said of addresses, on what lies on top.
    assert found[f"{bond}.network"] == named(bond) + BY_DHCP
    assert set(found) == {f"{bond}.{kind}" for kind in ("netdev", "network", "link")} | {
        f"{port}.network" for port in ports
    }


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("mode=1", "Mode=active-backup"),
        ("mode=balance-alb", "Mode=balance-alb"),
        ("lacp_rate=1", "LACPTransmitRate=fast"),
        ("ad_select=bandwidth", "AdSelect=bandwidth"),
        ("ad_actor_sys_prio=100", "AdActorSystemPriority=100"),
        ("ad_user_port_key=7", "AdUserPortKey=7"),
        ("ad_actor_system=00:11:22:33:44:55", "AdActorSystem=00:11:22:33:44:55"),
        ("fail_over_mac=follow", "FailOverMACPolicy=follow"),
        ("updelay=200", "UpDelaySec=200ms"),
        ("downdelay=0200", "DownDelaySec=200ms"),
        ("peer_notif_delay=5", "PeerNotifyDelaySec=5ms"),
        ("arp_interval=500", "ARPIntervalSec=500ms"),
        ("arp_ip_target=192.0.2.1;192.0.2.2", "ARPIPTargets=192.0.2.1 192.0.2.2"),
        ("arp_validate=all", "ARPValidate=all"),
        ("arp_all_targets=1", "ARPAllTargets=all"),
        ("arp_missed_max=3", "ARPMissedMax=3"),
        ("primary_reselect=better", "PrimaryReselectPolicy=better"),
        ("num_grat_arp=4", "GratuitousARP=4"),
        ("num_unsol_na=4", "GratuitousARP=4"),
        ("all_slaves_active=1", "AllSlavesActive=yes"),
        ("tlb_dynamic_lb=0", "DynamicTransmitLoadBalancing=no"),
        ("min_links=2", "MinLinks=2"),
        ("resend_igmp=2", "ResendIGMP=2"),
        ("packets_per_slave=0", "PacketsPerSlave=0"),
        ("lp_interval=2", "LearnPacketIntervalSec=2"),
        ("use_carrier=1", ""),
    ],
)
def test_every_option_of_a_bond(shell: InitrdShell, option: str, line: str) -> None:
    text = files(shell, f"bond=bond0:eth0:{option}:1500")["bond0.netdev"]
    assert text == made_as("bond0", "bond", f"MTUBytes=1500\n\n[Bond]\n{line}\n".rstrip("\n") + "\n")


def test_the_primary_of_a_bond_is_a_setting_of_its_port(shell: InitrdShell) -> None:
    found = files(shell, "bond=bond0:eth0,eth1:mode=active-backup,primary=eth1,active_slave=eth0")
    assert found["eth1.network"] == f"{named('eth1')}{BARE}Bond=bond0\nPrimarySlave=yes\n"
    assert found["eth0.network"] == f"{named('eth0')}{BARE}Bond=bond0\nActiveSlave=yes\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("ip=", "is of no form"),
        ("ip=eth0", "is of no form"),
        ("ip=ibft", "'ibft' is not supported"),
        ("ip=single-dhcp", "'single-dhcp' is not supported"),
        ("ip=eth0:dhcpp", "is of no form"),
        ("ip=eth*:dhcp", "'eth*' is no name of an interface"),
        ("ip=300.0.2.2::192.0.2.1:24::eth0:none", "'300.0.2.2' is no address"),
        ("ip=192.0.2.2::192.0.2.1:255.0.255.0::eth0:none", "'255.0.255.0' is no netmask"),
        ("ip=192.0.2.2::192.0.2.1:33::eth0:none", "'33' is no netmask"),
        ("ip=192.0.2.2::192.0.2.1:::eth0:none", "'' is no netmask"),
        ("ip=192.0.2.2::gw:24::eth0:none", "'gw' is no address of a gateway"),
        ("ip=192.0.2.2::192.0.2.1:24:a_b:eth0:none", "'a_b' is no host name"),
        ("ip=192.0.2.2::192.0.2.1:24::eth0:static", "'static' is no way to an address"),
        ("ip=192.0.2.2::192.0.2.1:24", "doesn't say which interface"),
        ("ip=eth0:dhcp:12", "'12' is no MTU"),
        ("ip=eth0:dhcp:1400:52:54:00", "'52:54:00' is no MAC address"),
        ("ip=192.0.2.2:::24::eth0:none:192.0.2.53::192.0.2.123", "node.network.ntp=192.0.2.123"),
        ("bond=bond0:eth0:mode=7", "'mode=7' can't be honoured"),
        ("bond=bond0:eth0:miimon=fast", "'miimon=fast' can't be honoured"),
        ("bond=bond0:eth0:use_carrier=0", "'use_carrier=0' can't be honoured"),
        ("bond=bond0:eth0:arp_validate=filter", "'arp_validate=filter' can't be honoured"),
        ("bond=bond0:eth0:max_bonds=2", "the option 'max_bonds' is not one"),
        ("bond=bond0:eth0:primary=eth1", "primary=eth1 names no port of bond0"),
        ("bond=bond0:eth0:mode=1:1500:x", "more parts than"),
        ("bond=bond0:bond0", "can't be its own port"),
        ("bond=bond0:*", "'*' is no name of an interface"),
        ("bond=bond0:eth0:*", "the option '*' is not one"),
        ("bond=b0:eth0 bond=b1:eth0", "'eth0' belongs to b0 already"),
        ("bond=b0:eth0 bridge=b0:eth1", "'b0' is made twice, as bond and as bridge"),
        ("bond=b0:vlan5 vlan=vlan5:eth0", "ports of a bond are cards"),
        ("bond=b0:eth0 vlan=vlan5:eth0", "no VLAN can be on it"),
        ("bond=b0:eth0 ip=eth0:dhcp", "give it to b0"),
        ("vlan=vlan5", "is not of the form vlan="),
        ("vlan=storage:eth0", "must end in the VLAN's number"),
        ("vlan=vlan4095:eth0", "must end in the VLAN's number"),
        ("bridge=br0:eth0:eth1", "is not of the form bridge="),
        ("team=team0:eth0", "there are no team devices"),
        ("nameserver=ns1", "'ns1' is no address of a name server"),
        ("rd.route=192.0.2.0:192.0.2.1", "is not of the form rd.route="),
        ("ifname=lan0:52:54:00:00:00:0g", "is not of the form ifname=NAME:MAC"),
        ("ifname=lan0 ip=lan0:dhcp", "is not of the form ifname=NAME:MAC"),
    ],
)
def test_what_cannot_be_honoured_is_refused_in_words(shell: InitrdShell, words: str, told: str) -> None:
    assert told in problems(shell, words)


def test_a_card_may_be_renamed_without_more(shell: InitrdShell) -> None:
    request = shell.request("node.image=LABEL=X ifname=lan0:52:54:00:12:34:56")
    assert (request["REQUEST_PROBLEMS"], request["NETWORK_ARGUMENTS"]) == ("", "")


def test_every_problem_of_the_network_is_told_at_once(shell: InitrdShell) -> None:
    found = problems(shell, "ip=eth0:x bond=b0:eth1:nonsense=1 vlan=v:eth2")
    assert [word in found for word in ("ip=eth0:x", "nonsense", "vlan=v:eth2")] == [True] * 3


def test_a_node_on_its_own_disk_is_not_kept_from_starting(shell: InitrdShell) -> None:
    request = shell.request("node.image=PARTUUID=1 node.image.size=1 ip=nonsense")
    assert request["REQUEST_PROBLEMS"] == ""
    assert "It isn't needed here" in request["REQUEST_WARNINGS"]
    assert request["NETWORK_ARGUMENTS"] == ""


def test_a_host_name_is_left_for_the_node(shell: InitrdShell) -> None:
    found = files(shell, "ip=::::node7:eth0:dhcp")
    assert found["eth0.network"].endswith(f"UseDomains=yes\nHostname=node7\n{BY_ROUTER}")
    assert (shell.folder / "run/hostname").read_text() == "node7\n"


def test_a_card_that_is_not_there_is_named_while_waiting(shell: InitrdShell) -> None:
    shell.write("sys/class/net/ens3/type", "1\n")
    shell.write("proc/cmdline", "node.image=LABEL=X ip=eth0:dhcp\n")
    shell.write("proc/net/route", "Iface\n")
    script = "read_request\nsleep() { SECONDS=$((SECONDS + 5)); ((++slept < 3)) || exit 7; }\nslept=0\n"
    said = shell.run(f"{script}wait_for_address")
    assert said.returncode == 7
    assert "ens3 (no link). The kernel command line names eth0, which is not there" in said.stdout


@pytest.mark.parametrize(("cmdline", "scope", "enough"), [
    ("ip=eth0:link6", "20", True), ("ip=eth0:dhcp", "20", False), ("ip=eth0:dhcp", "00", True),
])  # fmt: skip
def test_what_counts_as_an_address(shell: InitrdShell, cmdline: str, scope: str, enough: bool) -> None:
    shell.write("proc/cmdline", f"node.image=LABEL=X {cmdline}\n")
    shell.write("proc/net/route", "Iface\n")
    shell.write("proc/net/if_inet6", f"fe800000000000000000000000000001 02 40 {scope} 80     eth0\n")
    said = shell.run("read_request; has_address")
    assert (said.returncode == 0) == enough


def test_the_early_network_is_forgotten_once_the_node_has_its_own(shell: InitrdShell) -> None:
    calls = shell.folder / "calls"
    for name in ("ip", "systemctl"):
        shell.program(name, f'echo "{name} $*" >>{calls}')
    for name in ("bond0", "eth0/device", "eth1/device"):
        (shell.folder / "sys/class/net" / name).mkdir(parents=True)
    words = "bond=bond0:eth0,eth1 vlan=vlan5:bond0 ip=vlan5:dhcp"
    files(shell, words)
    shell.run("write_dhcp_network 80-nodecrust-dhcp.network; forget_network")
    # Without netplan the node is without a state: what was given stays.
    assert (shell.folder / "networks" / f"{EARLY}bond0.netdev").exists()
    assert not (shell.folder / "networks/80-nodecrust-dhcp.network").exists()
    assert not calls.exists()
    shell.write("sysroot/etc/netplan/90-nodecrust.yaml", "network: {}\n")
    said = shell.run("forget_network")
    assert said.stderr == ""
    assert list((shell.folder / "networks").iterdir()) == []
    assert calls.read_text().splitlines() == [
        "systemctl stop systemd-networkd.socket systemd-networkd.service",
        "ip link delete dev bond0",
        "ip address flush dev eth0 scope global",
        "ip -6 route flush dev eth0 proto ra",
        "ip address flush dev eth1 scope global",
        "ip -6 route flush dev eth1 proto ra",
    ]


@pytest.mark.parametrize(("source", "taken_down"), [("current", True), ("last-good", True), ("none", False)])
def test_the_lease_of_the_initrd_does_not_stay_on_a_card_that_the_node_leaves_alone(
    shell: InitrdShell, source: str, taken_down: bool
) -> None:
    calls = shell.folder / "calls"
    calls.write_text("")
    for name in ("ip", "systemctl"):
        shell.program(name, f'echo "{name} $*" >>{calls}')
    (shell.folder / "sys/class/net/eth0/device").mkdir(parents=True)
    shell.write("run/rendered.json", f'{{"paths": [], "source": "{source}"}}\n')
    shell.write("sysroot/etc/netplan/90-nodecrust.yaml", "network: {}\n")
    shell.run("start_network; forget_network")
    assert list((shell.folder / "networks").iterdir()) == []
    assert ("ip address flush dev eth0 scope global" in calls.read_text()) == taken_down


def card(shell: InitrdShell, name: str, *, index: int, mtu: int, mac: str) -> None:
    (shell.folder / f"sys/class/net/{name}/device").mkdir(parents=True, exist_ok=True)
    for key, value in {"ifindex": index, "mtu": mtu, "address": mac}.items():
        shell.write(f"sys/class/net/{name}/{key}", f"{value}\n")


def test_a_card_gets_its_own_mtu_and_mac_back(shell: InitrdShell) -> None:
    own, given = "52:54:00:00:00:01", "02:00:00:00:00:99"
    calls = shell.folder / "calls"
    shell.program("systemctl", "exit 0")
    shell.program(
        "ip",
        f'[[ $* != "link show dev "* ]] || echo "link/ether {given} brd ff permaddr {own}"\n'
        f'[[ $* != "link set "* ]] || echo "$*" >>{calls}',
    )
    shell.write("proc/cmdline", f"node.image=http://h/r node.image.trust=network ip=eth0:dhcp:9000:{given}\n")
    card(shell, "eth0", index=2, mtu=1500, mac=own)
    card(shell, "eth1", index=3, mtu=4000, mac="52:54:00:00:00:02")
    shell.run("read_request; prepare_network; start_network")
    # What networkd makes of it; eth1 is told an MTU by DHCP, eth2 comes late.
    card(shell, "eth0", index=2, mtu=9000, mac=given)
    card(shell, "eth1", index=3, mtu=1400, mac="52:54:00:00:00:02")
    card(shell, "eth2", index=4, mtu=9000, mac="52:54:00:00:00:03")
    shell.write("sysroot/etc/netplan/90-nodecrust.yaml", "network: {}\n")
    said = shell.run("forget_network")
    assert said.stderr == ""
    assert calls.read_text().splitlines() == [
        "link set dev eth0 mtu 1500",
        "link set dev eth0 down",
        f"link set dev eth0 address {own}",
        "link set dev eth1 mtu 4000",
        "link set dev eth2 mtu 1500",
    ]
    assert not (shell.folder / "run/early-cards").exists()


def test_cards_that_nobody_changed_are_left_alone(shell: InitrdShell) -> None:
    calls = shell.folder / "calls"
    calls.write_text("")
    shell.program("systemctl", "exit 0")
    shell.program("ip", f'[[ $* != "link s"* ]] || echo "$*" >>{calls}')
    card(shell, "eth0", index=2, mtu=9000, mac="52:54:00:00:00:01")
    shell.run("start_network")
    card(shell, "eth1", index=3, mtu=9000, mac="52:54:00:00:00:02")
    shell.write("sysroot/etc/netplan/90-nodecrust.yaml", "network: {}\n")
    shell.run("forget_network")
    assert calls.read_text() == ""


def test_the_generator_of_systemd_stays_out_of_it(shell: InitrdShell) -> None:
    shell.run("mask_network_generator")
    mask = shell.folder / "run/systemd/system/systemd-network-generator.service"
    assert str(mask.readlink()) == "/dev/null"
