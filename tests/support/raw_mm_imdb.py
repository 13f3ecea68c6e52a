"""MM-IMDb in its official layout, twelve films, with every defect that its loader has to survive."""

import json
from pathlib import Path

from raw_media import jpeg_bytes

FILMS = [f"{number:07d}" for number in range(12)]
SPLIT = {"train": FILMS[:6], "dev": FILMS[6:9], "test": [*FILMS[9:], "0099999"]}

PARAMS = {"tokenizer": "words", "tokens": 16, "image_size": 32}
SIZES = {"train": 6, "val": 3, "test": 3}
PLANTED = {
    "missing_file": {"dataset/0099999.json"},
    "truncated_image": {"dataset/0000002.jpeg"},
    "empty_text": {"0000003"},
    "bad_mode": {"dataset/0000004.jpeg"},
    "apple_double": {"dataset/._0000001.jpeg"},
}


def make_raw(root: Path) -> None:
    (root / "dataset").mkdir(parents=True)
    (root / "split.json").write_text(json.dumps(SPLIT))
    for number, film in enumerate(FILMS):
        genres = ["Drama", "News"] if number % 2 else ["Comedy", "Horror"]
        plots = [f"film {number} is about a {'dog' if number % 2 else 'cat'}"]
        if number == 1:
            plots = ["short", "the longest of three plots about a dog and nothing else", "of middle length"]
        if number == 3:
            plots = ["   "]
        (root / "dataset" / f"{film}.json").write_text(json.dumps({"plot": plots, "genres": genres, "title": film}))
        (root / "dataset" / f"{film}.jpeg").write_bytes(_poster(number))
    (root / "dataset" / "._0000001.jpeg").write_bytes(b"Mac")


def _poster(number: int) -> bytes:
    if number == 2:
        whole = jpeg_bytes(number, width=200, height=300)
        return whole[: len(whole) // 4]
    return jpeg_bytes(number, width=50, height=75, mode="CMYK" if number == 4 else "L" if number == 5 else "RGB")
