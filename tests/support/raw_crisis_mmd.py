"""CrisisMMD in its official layout, eighteen pictures, with every defect that its loader has to survive."""

import zipfile
from pathlib import Path

from raw_media import image_bytes, jpeg_bytes

PARAMS = {"tokenizer": "words", "tokens": 16, "image_size": 32}
SIZES = {"train": 8, "val": 4, "test": 4}
IMAGES = [f"9{number:017d}_{number % 2}" for number in range(16)]
PLANTED = {
    "mojibake": {IMAGES[2]},
    "missing_file": {"data_image/hurricane_irma/7_9_2017/" + IMAGES[9] + ".jpg"},
    "html_instead": {"data_image/hurricane_irma/6_9_2017/" + IMAGES[4] + ".jpg"},
    "dup_path": {"data_image/hurricane_irma/6_9_2017/" + IMAGES[5] + ".jpg"},
    "dup_id": {IMAGES[0]},
    "near_duplicate": {IMAGES[13]},
    "unknown_label": {"odd_0"},
    "bad_row": {"crisismmd_datasplit_all/task_humanitarian_text_img_train.tsv:12"},
    "apple_double": {"__MACOSX/data_image/._x.jpg"},
}
HEADER = [
    "event_name",
    "tweet_id",
    "image_id",
    "tweet_text",
    "image",
    "label",
    "label_text",
    "label_image",
    "label_text_image",
]
SPLITS = {"train": range(8), "dev": range(8, 12), "test": range(12, 16)}
MERGED = {"injured_or_dead_people": "affected_individuals"}
ODD = 'RT @someone: they said "help is on its way #irma'
SAID_AGAIN = "They said: \u201chelp is on its way\u201d \uff03Irma https://t.co/x1"
SPLIT_LINES = "line one\u2028line two\x85line three\x0b"


def make_raw(root: Path) -> None:
    for number, name in enumerate(IMAGES):
        path = root / image_path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        if number not in {6, 9}:  # 6 names the picture of 5
            path.write_bytes(image_bytes(3, "PNG") if name == IMAGES[3] else jpeg_bytes(number))
    (root / image_path(4)).write_bytes(b"<!DOCTYPE html><html></html>")
    for name, rows in tables().items():
        folder = "agreed_label" if "agreed" in name else "all"
        path = root / f"crisismmd_datasplit_{folder}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(rows, newline="")
    (root / "__MACOSX" / "data_image").mkdir(parents=True)
    (root / "__MACOSX" / "data_image" / "._x.jpg").write_bytes(b"Mac")


def pack(root: Path) -> None:
    """Put the tables back into the two archives of the official release."""
    for folder in ("all", "agreed_label"):
        unpacked = root / f"crisismmd_datasplit_{folder}"
        with zipfile.ZipFile(root / f"{unpacked.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(unpacked.iterdir()):
                archive.write(path, f"{unpacked.name}/{path.name}")
                path.unlink()
        unpacked.rmdir()


def tables() -> dict[str, str]:
    """Name -> content of the six tables."""
    found = {}
    for split, numbers in SPLITS.items():
        rows = [row(number, agreed=False) for number in numbers]
        if split == "train":
            rows += [
                [*rows[0][:3], "listed again", *rows[0][4:]],
                ["x", "odd", "odd_0", "?", *rows[0][4:5], *["no"] * 4],
            ]
            rows += [["only", "three", "cells"]]
        found[f"task_humanitarian_text_img_{split}.tsv"] = table(rows)
        found[f"task_humanitarian_text_img_agreed_lab_{split}.tsv"] = table([row(n, agreed=True) for n in numbers])
    return found


def table(rows: list[list[str]]) -> str:
    return "".join("\t".join(cells) + "\n" for cells in [HEADER, *rows])


def row(number: int, *, agreed: bool) -> list[str]:
    label = ("not_humanitarian", "injured_or_dead_people", "affected_individuals", "vehicle_damage")[number % 4]
    if agreed and number % 4 == 3:
        label = "infrastructure_and_utility_damage"
    merged = MERGED.get(label, label)
    seen = merged if agreed else "other_relevant_information"
    texts = {1: ODD, 2: "itâ€™s flooding in Houston", 3: SPLIT_LINES, 13: SAID_AGAIN}
    tweet = 6 if number == 7 else number  # two pictures of one tweet
    return [
        *("hurricane_irma", f"9{tweet:017d}", IMAGES[number], texts.get(number, f"flood{' again' * tweet}")),
        *(image_path(5 if number == 6 else number), label, merged if agreed else label, seen),
        "Positive" if agreed else "Negative",
    ]


def image_path(number: int) -> str:
    day = 6 + number // 8
    return f"data_image/hurricane_irma/{day}_9_2017/{IMAGES[number]}.{'png' if number == 3 else 'jpg'}"
