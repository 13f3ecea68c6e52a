"""Texts that two splits share but for what retweeting and quoting change."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from trainables.preparing.manifest import Sample
from trainables.preparing.reader import Reader
from trainables.preparing.text_reader import TextReader

__all__ = ["comparable", "near_duplicates"]

_RETWEETED = re.compile(r"\s*(?:rt\s+@\w+[:\s]*)+")
_LINKS_AND_NAMES = re.compile(r"https?\b\S*|www\.\S*|@\w+")
_WORDS = re.compile(r"[^\W_]+")
_FEWEST_WORDS = 4
"""Fewer are said twice by chance: good morning, happy new year."""
_MOST_CHARACTERS = 500
"""Of a text are looked at: more than a tweet has, and an article that begins like another is a near duplicate, too."""


def near_duplicates(samples: Sequence[Sample], readers: Mapping[str, Reader]) -> Iterator[tuple[str, str]]:
    """Yield the audit code and the id of each validation and test sample one of whose texts another split has, too.

    What is compared is `comparable` of their first 500 characters; texts of fewer than four words of that do not
    count. One pass over the texts, of which a digest of 16 bytes each is kept.
    """
    splits: dict[tuple[str, bytes], set[str]] = {}
    held_out: list[tuple[str, tuple[str, bytes]]] = []
    names = [name for name, reader in readers.items() if isinstance(reader, TextReader)]
    for sample in samples:
        for name in names:
            text = sample.media.get(name)
            left = comparable(text[:_MOST_CHARACTERS]) if isinstance(text, str) else ""
            if left.count(" ") + 1 < _FEWEST_WORDS:
                continue
            key = (name, hashlib.blake2b(left.encode("utf-8", "replace"), digest_size=16).digest())
            splits.setdefault(key, set()).add(sample.split)
            if sample.split != "train":
                held_out.append((sample.sample_id, key))
    found = (name for name, key in held_out if len(splits[key]) > 1)
    yield from (("near_duplicate", name) for name in dict.fromkeys(found))


def comparable(text: str) -> str:
    """Return a text's words in lower case (Unicode NFKC), without retweet marks at its start, links and @names.

    >>> comparable("RT @news: Storm over #Kyoto, see https://t.co/a")
    'storm over kyoto see'
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    retweeted = _RETWEETED.match(plain)
    return " ".join(_WORDS.findall(_LINKS_AND_NAMES.sub(" ", plain[retweeted.end() :] if retweeted else plain)))
