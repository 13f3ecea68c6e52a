"""UPMC Food-101 as Kaggle has it, and the other forms of its index, with every defect that its loader survives."""

import json
from collections.abc import Mapping
from pathlib import Path

from raw_media import image_bytes, jpeg_bytes

CLASSES = ("apple_pie", "sushi")
PARAMS = {"tokenizer": "words", "tokens": 16, "image_size": 32}
SIZES = {"train": 18, "val": 2, "test": 6}
PLANTED = {
    "missing_file": {"images/train/sushi/sushi_3.jpg"},
    "unlisted_file": {"images/train/apple_pie/apple_pie_77.jpg"},
    "empty_text": {"apple_pie_4.jpg"},
    "truncated_image": {"images/train/apple_pie/apple_pie_5.jpg"},
    "bad_mode": {"images/train/sushi/sushi_6.jpg"},
    "dup_id": {"sushi_1.jpg"},
    "unknown_label": {"unicorn_0.jpg"},
    "bad_row": {"texts/train_titles.csv:25"},
    "apple_double": {"images/train/sushi/.DS_Store"},
}
TITLES = {
    "apple_pie_0.jpg": 'Grandma\'s "best", warm, apple pie',
    "apple_pie_1.jpg": "Pie, in two\nlines | a blog",
    "apple_pie_4.jpg": "",
}


def split_files() -> dict[str, list[str]]:
    """Split of the csv files -> pictures."""
    train = [f"{label}_{number}.jpg" for label in CLASSES for number in range(10)]
    return {"train": train, "test": [f"{label}_{number}.jpg" for label in CLASSES for number in range(10, 13)]}


def class_of(file: str) -> str:
    return file.rpartition("_")[0]


def title_of(file: str) -> str:
    return TITLES.get(file, f"How to make {file.removesuffix('.jpg')} at home")


def make_raw(root: Path) -> None:
    make_images(root)
    make_titles(root)


def make_images(root: Path) -> None:
    for split, files in split_files().items():
        for number, file in enumerate(files):
            path = root / "images" / split / class_of(file) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg_bytes(number + 100 * len(split)))
    folder = root / "images" / "train"
    (folder / "sushi" / "sushi_3.jpg").unlink()
    (folder / "apple_pie" / "apple_pie_77.jpg").write_bytes(jpeg_bytes(77))
    whole = jpeg_bytes(5, width=200, height=300)
    (folder / "apple_pie" / "apple_pie_5.jpg").write_bytes(whole[: len(whole) // 4])
    (folder / "sushi" / "sushi_6.jpg").write_bytes(image_bytes(6, "GIF"))
    (folder / "sushi" / ".DS_Store").write_bytes(b"Mac")


def make_titles(root: Path, *, header: bool = False, defects: bool = True) -> None:
    (root / "texts").mkdir(exist_ok=True)
    for split, files in split_files().items():
        lines = ["Image_path,text,label"] if header else []
        lines += [_row(file, title_of(file), class_of(file)) for file in files]
        if split == "train" and defects:
            lines += [_row("sushi_1.jpg", "the same again", "sushi"), _row("unicorn_0.jpg", "A unicorn", "unicorn")]
            lines += ["", "half a row"]
        (root / "texts" / f"{split}_titles.csv").write_text("".join(f"{line}\n" for line in lines))


def make_map(root: Path, splits: Mapping[str, str]) -> None:
    """MAP's three files, for picture -> split."""
    listed = {split: [file for file in splits if splits[file] == split] for split in ("train", "val", "test")}
    (root / "split.json").write_text(json.dumps(listed))
    (root / "text.json").write_text(json.dumps({file: title_of(file) for file in splits}))
    (root / "class_idx.json").write_text(json.dumps({"sushi": 0, "apple_pie": 1}))


def make_jsonl(root: Path, splits: Mapping[str, str]) -> None:
    """MMBT's three files; validation pictures lie among those of training."""
    for split, name in (("train", "train"), ("val", "dev"), ("test", "test")):
        rows = [
            {
                "id": str(number),
                "label": class_of(file),
                "text": title_of(file),
                "img": f"images/{'test' if split == 'test' else 'train'}/{class_of(file)}/{file}",
            }
            for number, file in enumerate(splits)
            if splits[file] == split
        ]
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _row(file: str, title: str, label: str) -> str:
    quoted = title.replace('"', '""')
    return f'{file},"{quoted}",{label}' if set(',"\n') & set(title) else f"{file},{title},{label}"
