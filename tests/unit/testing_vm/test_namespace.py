"""dnsmasq's configuration: which client gets which file."""

from pathlib import Path

from node.testing.vm.namespace import dnsmasq_config, link_commands


def test_http_clients_get_the_iso_and_the_magic_word() -> None:
    lines = dnsmasq_config(tftp_root=Path("/pxe"), http_url="http://10.77.0.1:80").splitlines()
    assert "dhcp-boot=tag:http,http://10.77.0.1:80/node.iso" in lines
    assert "dhcp-option-force=tag:http,60,HTTPClient" in lines
    assert "tftp-root=/pxe" in lines


def test_ipxe_is_never_given_ipxe_again() -> None:
    lines = dnsmasq_config(tftp_root=Path("/pxe"), http_url="http://x").splitlines()
    assert "dhcp-boot=tag:ipxe,boot.ipxe" in lines
    assert all(
        "tag:!ipxe" in line or "tag:http" in line for line in lines if ".0" in line and "boot=" in line
    )


def test_ipxe_may_be_sent_to_a_server():
    lines = dnsmasq_config(
        tftp_root=Path("/pxe"), http_url="http://x", ipxe="http://x/boot.ipxe"
    ).splitlines()
    assert "dhcp-boot=tag:ipxe,http://x/boot.ipxe" in lines


def test_every_card_is_on_the_switch_and_vlans_are_on_top_of_it():
    commands = link_commands(cards=2, vlans={42: "10.78.0.1/24"})
    assert [words for words in commands if "master" in words] == [
        "link set vmtap0 master vmswitch up",
        "link set vmtap1 master vmswitch up",
        "link set vmtrunk42 master vmswitch up",
    ]
    assert commands[-3:] == (
        "tuntap add vmvlan42 mode tap",
        "addr add 10.78.0.1/24 dev vmvlan42",
        "link set vmvlan42 up",
    )
