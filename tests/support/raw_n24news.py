"""N24News in its official layout, twelve articles, with every defect that its loaders have to survive."""

import json
from pathlib import Path
from typing import Any

from raw_media import jpeg_bytes

ARTICLES = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(12)]
SHORT = ARTICLES[4][:34]
"""The id of the picture of article 4, shorter than all others."""
LISTS = {"train": range(6), "dev": range(6, 9), "test": range(9, 12)}

PARAMS = {"tokenizer": "words", "tokens": 16, "image_size": 32}
SIZES = {"train": 6, "val": 3, "test": 3}
PLANTED = {
    "missing_file": {f"imgs/{ARTICLES[5]}.jpg"},
    "unknown_label": {"weather"},
    "bad_row": {"news/nytimes_train.json[8]"},
    "dup_id": {ARTICLES[1]},
    "apple_double": {f"imgs/._{ARTICLES[0]}.jpg"},
}


def record(number: int) -> dict[str, Any]:
    what = "a play" if number % 2 else "a diet"
    body = "body" if number == 3 else "article"  # the crawler's key
    return {
        "section": "Theater" if number % 2 else "Health",
        "headline": f"Headline {number} &amp; &ldquo;{what}&rdquo;",
        "article_url": f"https://www.nytimes.com/{number}.html",
        body: f"A long text, number {number}, about {what}. " * 9,
        "abstract": " " if number == 7 else f"In short, {number} is {what}.",
        "article_id": ARTICLES[number],
        "image": f"https://static01.nyt.com/{number}-facebookJumbo.jpg",
        "caption": f"&ldquo;{what}&rdquo; as seen by {number}",
        "image_id": SHORT if number == 4 else ARTICLES[number],
    }


def make_raw(root: Path, folder: str = "news") -> None:
    (root / "imgs").mkdir(parents=True)
    (root / folder).mkdir(exist_ok=True)
    for name, numbers in LISTS.items():
        records: list[Any] = [record(number) for number in numbers]
        if name == "train":
            repeated = {**record(1), "headline": "the same article again"}
            records += [{**record(0), "section": "Weather", "article_id": "weather", "image_id": "weather"}]
            records += [repeated, "no article"]
        (root / folder / f"nytimes_{name}.json").write_text(json.dumps(records))
    for number in set(range(12)) - {5}:
        (root / "imgs" / f"{record(number)['image_id']}.jpg").write_bytes(jpeg_bytes(number))
    (root / "imgs" / f"._{ARTICLES[0]}.jpg").write_bytes(b"Mac")
