"""MVSA-Single in its official layout with all nine pairs of labels and every defect that its loader survives."""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from raw_media import jpeg_bytes

LABELS = ("negative", "neutral", "positive")
PARAMS = {"tokenizer": "words", "tokens": 16, "image_size": 32}
SIZES = {"train": 9, "val": 3, "test": 3}
PAIRS = [
    *((label, label) for label in LABELS for _ in range(5)),
    *(pair for pair in product(LABELS, LABELS) if pair[0] != pair[1] for _ in range(2)),
]
IDS = [str(1 + place + 40 * (place > 8)) for place in range(len(PAIRS))]
"""With a gap, as in the release."""
OF = dict(zip(IDS, PAIRS, strict=True))
GBK, LATIN, EMPTY, NO_TEXT, HALF, STUB = IDS[:6]
TWEETED, RETWEETED = "9", "51"
"""One to train on, and in the validation part, with another picture, what somebody made of it."""
SHARES = {"train": 3, "val": 1, "test": 1}
"""Of the five tweets of each label that agree."""
PLANTED = {
    "near_duplicate": {RETWEETED},
    "non_utf8": {f"data/{GBK}.txt", f"data/{LATIN}.txt"},
    "empty_text": {EMPTY, NO_TEXT, STUB},
    "missing_file": {f"data/{NO_TEXT}.txt"},
    "truncated_image": {f"data/{HALF}.jpg"},
    "lfs_pointer": {f"data/{STUB}.txt"},
    "unlisted_file": {"data/5000.jpg", "data/5000.txt"},
    "unknown_label": {"900"},
    "dup_id": {"1"},
    "bad_row": {"labelResultAll.txt:30", "labelResultAll.txt:31"},
    "apple_double": {"data/._1.jpg"},
}


def make_raw(root: Path) -> None:
    (root / "data").mkdir(parents=True)
    rows = ["ID\ttext,image", *(f"{name}\t{text},{image}" for name, (text, image) in OF.items())]
    rows += ["900\tangry,angry", "901", "x\tpositive,positive", "1\tpositive,positive"]
    (root / "labelResultAll.txt").write_text("\r\n".join(rows) + "\r\n", newline="")
    for name in [*IDS, "900", "5000"]:
        (root / "data" / f"{name}.jpg").write_bytes(_picture(name))
        (root / "data" / f"{name}.txt").write_bytes(tweet_bytes(name))
    (root / "data" / f"{NO_TEXT}.txt").unlink()
    (root / "data" / "._1.jpg").write_bytes(b"Mac")


def make_jsonl(root: Path, splits: Mapping[str, str]) -> None:
    """QMF's three files for id -> split."""
    for split, name in (("train", "train"), ("val", "dev"), ("test", "test")):
        rows = [
            {
                "id": tweet,
                "label": OF[tweet][0],
                "text": tweet_bytes(tweet).decode("latin-1"),
                "img": f"data/{tweet}.jpg",
            }
            for tweet in splits
            if splits[tweet] == split
        ]
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def tweet_bytes(name: str) -> bytes:
    if name == STUB:
        return b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    words = {
        GBK: b"wait for it\xa1\xad",
        LATIN: b"at the caf\xe9 again",
        EMPTY: b" \r\n",
        TWEETED: b"Rain again over Kyoto: bring your #umbrella http://t.co/a1",
        RETWEETED: b"RT @kyoto_news: RT @sky: rain again over kyoto - bring your umbrella! @you https://t.co/b2",
    }
    return words.get(name, f"tweet{' again' * (int(name) % 7)}{' rain' * (int(name) // 7)}\r\n".encode())


def _picture(name: str) -> bytes:
    whole = jpeg_bytes(int(name), width=200, height=300)
    return whole[: len(whole) // 4] if name == HALF else whole
