from __future__ import annotations

import pytest

from node.errors import NodeError
from node.plugins.access.hashes import fault_of
from node.system.passwords import hash_password, verify


def test_a_hash_is_yescrypt_salted_and_verified():
    one, two = hash_password("correct horse ß"), hash_password("correct horse ß")
    assert one.startswith("$y$")
    assert one != two
    assert fault_of(one) is None
    assert verify("correct horse ß", one)
    assert not verify("correct horse", one)


def test_given_sha512_hashes_are_verified_too():
    # As `openssl passwd -6 -salt saltstring` makes it.
    known = (
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
    )
    assert verify("Hello world!", known)


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_what_cannot_be_hashed_whole_is_refused(text):
    with pytest.raises(NodeError):
        hash_password(text)


@pytest.mark.parametrize("hashed", ["", "!", "*", "x", "$y$", "$99$abc", "ß"])
def test_no_hash_matches_nothing(hashed):
    assert not verify("x", hashed)
