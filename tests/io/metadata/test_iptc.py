import struct

from samelight.io.metadata.iptc import trimmed


def data_set(number, value):
    return b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value


KEYWORD = data_set(25, b"kw") + data_set(80, b"me\0")


def test_padding_is_cut_off_and_ends_of_values_are_not():
    assert trimmed(KEYWORD + b"\0\0\0") == KEYWORD
    assert trimmed(b"\0\0\0\0") is None
    assert trimmed(b"") is None


def test_a_value_that_reaches_over_the_end_is_no_data_set():
    assert trimmed(data_set(25, b"kw")[:-1]) is None
    assert trimmed(KEYWORD + data_set(25, b"kw")[:-1]) == KEYWORD


def test_extended_sizes_are_followed():
    long = b"\x1c\x02\x78" + struct.pack(">HI", 0x8004, 40000) + b"x" * 40000
    assert trimmed(long + KEYWORD + b"\0") == long + KEYWORD


def test_words_turned_by_the_byte_order_are_turned_back():
    padded = KEYWORD + b"\0" * (-len(KEYWORD) % 4)
    turned = b"".join(padded[i : i + 4][::-1] for i in range(0, len(padded), 4))
    assert trimmed(turned) == KEYWORD
