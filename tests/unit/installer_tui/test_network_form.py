from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.installer.flow import load_plugins, look
from node.installer.network_form import BOND_MODES, NetworkForm, faults, form_of, netplan_of
from node.model.answers import Layer
from node.model.origin import Precedence
from node.model.problem import errors
from node.testing.machines import machine

_FORMS = st.builds(
    NetworkForm,
    cards=st.sampled_from([(), ("eno1",), ("eno1", "eno2")]),
    bond_mode=st.sampled_from(BOND_MODES),
    vlan=st.sampled_from(["", "1", "100", "4094"]),
    ipv4=st.sampled_from(["off", "dhcp", "static"]),
    address4=st.just("192.0.2.10/24"),
    gateway4=st.sampled_from(["", "192.0.2.1"]),
    ipv6=st.sampled_from(["off", "auto", "dhcp", "static"]),
    address6=st.just("2001:db8::10/64"),
    gateway6=st.sampled_from(["", "2001:db8::1", "fe80::1"]),
    mtu=st.sampled_from(["", "9000"]),
)


@given(_FORMS)
def test_a_document_gives_its_form_back(form: NetworkForm):
    document = netplan_of(form)
    again = form_of(document)
    assert again is not None
    assert netplan_of(again) == document


@pytest.mark.effects("processes")
@pytest.mark.parametrize("vlan", ["", "100"])
@pytest.mark.parametrize("cards", [("eno1",), ("eno1", "eno2")])
@pytest.mark.parametrize("how", [("dhcp", "auto"), ("static", "static"), ("off", "dhcp"), ("static", "off")])
def test_netplan_takes_what_the_form_makes(how: tuple[str, str], cards: tuple[str, ...], vlan: str):
    form = NetworkForm(
        cards=cards,
        vlan=vlan,
        ipv4=how[0],
        address4="192.0.2.10/24",
        gateway4="192.0.2.1",
        ipv6=how[1],
        address6="2001:db8::10/64",
        gateway6="2001:db8::1",
        mtu="9000",
    )
    assert not faults(form)
    layer = Layer(Precedence.SCREEN, {"network": {"netplan": netplan_of(form)}})
    seen = look(load_plugins(), [layer], machine("server-sata-data"))
    assert not [p for p in errors(seen.plan.problems) if p.where.startswith("network")]


def test_what_no_form_can_say_is_left_alone():
    assert form_of({"bridges": {"br0": {"interfaces": ["eno1"]}}, "ethernets": {"eno1": {}}}) is None
    assert form_of({"ethernets": {"a": {"match": {"driver": "ice"}, "dhcp4": True}}}) is None
    assert form_of({"ethernets": "nonsense"}) is None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (NetworkForm(cards=("a",), vlan="5000"), "vlan"),
        (NetworkForm(cards=("a",), mtu="12"), "mtu"),
        (NetworkForm(cards=("a",), ipv4="static", address4="192.0.2.10"), "address4"),
        (NetworkForm(cards=("a",), ipv4="static", address4="2001:db8::1/64"), "address4"),
        (NetworkForm(cards=("a",), ipv4="static", address4="192.0.2.1/24", gateway4="10.0.0.1"), "gateway4"),
        (NetworkForm(cards=("a",), ipv6="static", address6="x"), "address6"),
    ],
)
def test_faults_stand_at_their_field(form: NetworkForm, field: str):
    assert list(faults(form)) == [field]
