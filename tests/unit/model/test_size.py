import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.size import GIB, KIB, MIB, TIB, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 512 * MIB),
        ("4 GB", 4 * 10**9),
        ("1.5T", 3 * TIB // 2),
        ("10k", 10 * KIB),
        ("7", 7),
        (7, 7),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "4 Gigs", "-1G", "1e3", "0x10", True])
def test_what_is_no_size_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@given(st.integers(min_value=0, max_value=1 << 62))
def test_written_sizes_read_back_to_within_their_one_decimal(size: int) -> None:
    unit = next((u for u in (TIB, GIB, MIB, KIB) if size >= u), 1)
    assert abs(parse_size(format_size(size)) - size) <= unit * 0.051
