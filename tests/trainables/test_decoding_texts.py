import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.decoding.texts import decode_text, repair_mojibake, text_issues

CLEAN = [
    "Plain words.",
    "Curly “quotes” – and dashes…",  # noqa: RUF001 (what writers type)
    "Não, amanhã às três; château, Ångström, über",
    "“AMANHÃ” e IRMÃ…",
    "Â propos",
    "手术 русский ελληνικά 😀",
]


@pytest.mark.parametrize("text", CLEAN)
def test_utf_8_has_no_issue(text: str) -> None:
    assert decode_text(text.encode()) == (text, ())
    assert decode_text(text.encode("utf-8-sig")) == (text, ())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"well\xa1\xad ok", "well… ok"),
        ("手术".encode("gb18030"), "手术"),
        (b"caf\xe9 au lait", "café au lait"),
        (b'\x93it" was\x85', '“it" was…'),
        (b"\x81 \xe9", "\x81 é"),
    ],
)
def test_other_encodings_are_found_in_order(data: bytes, text: str) -> None:
    assert decode_text(data) == (text, ("non_utf8",))


@pytest.mark.parametrize("text", ["", "  \r\n\t", "\u00a0"])
def test_nothing_but_white_space_is_empty(text: str) -> None:
    assert text_issues(text) == ("empty_text",)
    assert decode_text(text.encode()) == (text, ("empty_text",))


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"version https://git-lfs.github.com/spec/v1\n", "lfs_pointer"), (b"<!doctype html>", "html_instead")],
)
def test_files_that_are_no_text_are_empty(data: bytes, code: str) -> None:
    assert decode_text(data) == ("", (code,))


@pytest.mark.parametrize("text", ["café", "“so”", "ÖL, MÖBEL", "£5", "no 😀", "a\u00a0b", "à la"])
@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
def test_mojibake_is_kept_and_can_be_repaired(text: str, codec: str) -> None:
    garbled = "".join(bytes([byte]).decode(codec, "ignore") or chr(byte) for byte in text.encode())
    if codec == "cp1252":
        assert text_issues(garbled) == ("mojibake",)
        assert decode_text(garbled.encode()) == (garbled, ("mojibake",))
    assert repair_mojibake(garbled) == text


@pytest.mark.parametrize("text", [*CLEAN, "half cafÃ© half 手"])
def test_what_cannot_be_repaired_is_unchanged(text: str) -> None:
    assert repair_mojibake(text) == text


@given(st.binary())
def test_any_bytes_become_a_text(data: bytes) -> None:
    text, issues = decode_text(data)
    assert set(issues) <= {"non_utf8", "mojibake", "empty_text", "html_instead", "lfs_pointer"}
    assert text.strip() or issues


@given(st.text())
def test_repair_gives_back_every_text_that_was_garbled(text: str) -> None:
    assert repair_mojibake(text.encode().decode("latin-1")) == text
