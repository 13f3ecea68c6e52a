"""Text files of unknown encoding to strings, and what is wrong with a string."""

import re

from trainables.decoding.bad_bytes import head_issue

__all__ = ["decode_text", "repair_mojibake", "text_issues"]

_CODECS = ("gb18030", "cp1252")


def _windows_character(byte: int) -> str:
    """Return the byte in Windows-1252; its five unassigned bytes stay the control characters that they are."""
    return bytes([byte]).decode("cp1252" if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1")


_BYTES = {_windows_character(byte): byte for byte in range(256)} | {chr(byte): byte for byte in range(0x80, 0xA0)}
_FOLLOWING = {character for character, byte in _BYTES.items() if 0x80 <= byte < 0xC0}  # noqa: PLR2004 (of UTF-8)
_PUNCTUATION = set("‘’“”–—…•‚„")  # noqa: RUF001 (the characters themselves)
_MOJIBAKE = re.compile(
    "â€|ðŸ"
    f"|[ÂÃ][{re.escape(''.join(sorted(_FOLLOWING - _PUNCTUATION)))}]"
    rf"|Ã[{''.join(sorted(_PUNCTUATION))}](?=\w)"  # a word in capitals may end in Ã and a quotation mark
)


def decode_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Decode the bytes of a text file, whatever they are, and say what is wrong.

    UTF-8 (a byte order mark is dropped), else GB18030, else Windows-1252, else Latin-1, which never fails: the first
    that decodes every byte. `non_utf8` says that it was not the first; the order alone determines which one it was, so
    that single accented letters before ASCII mean Windows-1252 and most other runs of high bytes GB18030.

    Returns:
        The text, line breaks kept, and the audit codes: `non_utf8` and those of `text_issues`. The text is empty with
        `html_instead` or `lfs_pointer`, where the file is no text of the data set's.
    """
    if data and (head := head_issue(data)):
        return "", (head,)
    text, issues = _decode(data)
    return text, (*issues, *text_issues(text))


def text_issues(text: str) -> tuple[str, ...]:
    """Return `empty_text` for nothing but white space, `mojibake` for UTF-8 that was read as Windows-1252 (`Ã©`)."""
    if not text.strip():
        return ("empty_text",)
    return ("mojibake",) if not text.isascii() and _MOJIBAKE.search(text) else ()


def repair_mojibake(text: str) -> str:
    """Undo one reading of UTF-8 as Windows-1252 where that works for the whole text; else return it unchanged."""
    try:
        return bytes(_BYTES[character] for character in text).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return text


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    for codec in _CODECS:
        try:
            return data.decode(codec), ("non_utf8",)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), ("non_utf8",)
