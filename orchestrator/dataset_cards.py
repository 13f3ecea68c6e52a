"""Cards of data sets, generated from their classes: for `mmpt show DATASET` and for docs/datasets.md.

`python -m orchestrator.dataset_cards docs/datasets.md` writes the page anew.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from orchestrator.method_cards import parameter_lines, unindented
from search_spaces.errors import MmptError
from trainables.api_data import Dataset
from trainables.dataset_catalog import DATASETS
from trainables.dataset_identity import build_dataset
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.tree import RawDataError

__all__ = ["dataset_card", "datasets_page", "found_lines"]

_SPLITS = ("train", "val", "test")


def dataset_card(name: str) -> str:
    """Return a data set's card as plain text."""
    dataset = DATASETS.get(name)
    lines = [f"{name}: {dataset.card.title}", "", unindented(dataset), ""]
    lines += [f"{label}: {value}" for label, value in _facts(dataset, name).items()]
    lines += ["expected files:", *(f"  {line}" for line in _layout(dataset))] if _layout(dataset) else []
    return "\n".join([*lines, "", *(parameter_lines(dataset.Params) or ["no parameters"])])


def found_lines(name: str) -> list[str]:
    """Return where a data set of files is on this machine and how many samples each split has, against the official.

    Nothing is decoded, but the index is read, which takes seconds for a large data set.
    """
    dataset = build_dataset(name, {})
    if not isinstance(dataset, FileDataset):
        return []
    try:
        tree = dataset.tree()
    except RawDataError:
        return [f"not on this machine yet: mmpt prepare {name} --root DIR"]
    try:
        manifest, _ = dataset.manifest(tree)
    except MmptError as error:
        return [f"found in {tree.root}, but: {error}"]
    sizes = dataset.sizes(manifest).items()
    shown = (
        f"{split} {found:,}" + ("" if official is None else f" of {official:,}") for split, (found, official) in sizes
    )
    return [f"found in {tree.root}: {', '.join(shown)}"]


def datasets_page() -> str:
    """Return the page of all built-in data sets in Markdown."""
    names = DATASETS.shipped()
    parts = [
        "# Data sets",
        "Generated from the cards that `mmpt show DATASET` prints; see `orchestrator/dataset_cards.py`.",
        "Sizes are the official ones, for default parameters. [Your own data](adding-a-data-set.md) needs no loader.",
        "\n".join(["| | modalities | classes | train / val / test |", "| :-- | :-- | --: | :-- |", *map(_row, names)]),
    ]
    for name in names:
        dataset = DATASETS.get(name)
        parts += [f"## `{name}`: {dataset.card.title}", unindented(dataset)]
        parts += ["\n".join(f"- {label}: {value}" for label, value in _facts(dataset, name).items())]
        for lines in (_layout(dataset), parameter_lines(dataset.Params)):
            parts += ["\n".join(["```text", *lines, "```"])] if lines else []
    return "\n\n".join(parts) + "\n"


def _row(name: str) -> str:
    dataset = DATASETS.get(name)
    count = str(len(_classes(name))) + (", any of them" if _multi_label(name) else "")
    link = f"[{dataset.card.title}](#{_anchor(name)})"
    return f"| {link} | {', '.join(dataset.modalities())} | {count} | {_sizes(name)} |"


def _anchor(name: str) -> str:
    """Return the anchor that Markdown viewers give to the section's heading."""
    heading = f"{name}: {DATASETS.get(name).card.title}".lower().replace(" ", "-")
    return "".join(letter for letter in heading if letter.isalnum() or letter in "-_")


def _facts(dataset: type[Dataset], name: str) -> dict[str, str]:
    card, classes = dataset.card, _classes(name)
    kind = "classes, of which a sample has any number" if _multi_label(name) else "classes"
    encoders = ", ".join(f"{modality} {encoder}" for modality, encoder in sorted(dataset.default_encoders.items()))
    presets = (f"{key} ({', '.join(f'{n}={v}' for n, v in values.items())})" for key, values in dataset.presets.items())
    facts = {
        "task": card.task,
        "modalities": ", ".join(sorted(dataset.modalities())),
        kind: ", ".join(classes),
        "official train / val / test": _sizes(name),
        "licence": card.licence,
        "source": card.source,
        "default encoders": encoders,
        "default backbone": dataset.default_backbone,
        "presets": "; ".join(presets),
        "notes": card.notes,
    }
    return {label: value for label, value in facts.items() if value}


def _sizes(name: str) -> str:
    dataset = build_dataset(name, {})
    official: Mapping[str, int] = dataset.expected_sizes() if isinstance(dataset, FileDataset) else {}
    return " / ".join(f"{official[split]:,}" for split in _SPLITS) if set(_SPLITS) <= set(official) else ""


def _layout(dataset: type[Dataset]) -> list[str]:
    return dedent(getattr(dataset, "layout", "")).strip("\n").splitlines()


def _classes(name: str) -> tuple[str, ...]:
    """Return the names of the classes; a data set of files is not asked for shapes, which may need a tokenizer."""
    dataset = build_dataset(name, {})
    return dataset.class_names() if isinstance(dataset, FileDataset) else tuple(dataset.info().class_names)


def _multi_label(name: str) -> bool:
    dataset = build_dataset(name, {})
    return dataset.multi_label if isinstance(dataset, FileDataset) else dataset.info().multi_label


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(datasets_page(), encoding="utf-8")
