"""Tags of IEEE 802.1Q, put on and taken off."""

import pytest

from node.testing.vm.vlan import tagged, untagged

FRAME = bytes(range(12)) + b"\x08\x00payload"


def test_a_tag_follows_the_addresses():
    assert tagged(FRAME, 42) == bytes(range(12)) + b"\x81\x00\x00\x2a\x08\x00payload"
    assert untagged(tagged(FRAME, 42), 42) == FRAME


def test_the_priority_is_no_part_of_the_vlan():
    assert untagged(FRAME[:12] + b"\x81\x00\xe0\x2a" + FRAME[12:], 42) == FRAME


@pytest.mark.parametrize("frame", [FRAME, tagged(FRAME, 43), FRAME[:13], b""])
def test_other_frames_stay_outside(frame: bytes):
    assert untagged(frame, 42) is None
