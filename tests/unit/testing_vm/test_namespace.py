"""dnsmasq's configuration: which client gets which file."""

from pathlib import Path

from node.testing.vm.namespace import dnsmasq_config


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
