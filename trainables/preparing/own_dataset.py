"""Data set classes made from what is remembered of a user's own table, so that none has to be written."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from search_spaces.catalog import camel_case
from search_spaces.spec import content_hash
from trainables.api_data import DatasetCard, Kind
from trainables.preparing.audio_reader import AudioParams, AudioReader
from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.image_reader import ImageParams, ImageReader
from trainables.preparing.manifest import Sample
from trainables.preparing.own_listing import Listing
from trainables.preparing.own_manifest import read_manifest
from trainables.preparing.own_readers import CellReader, NumbersReader
from trainables.preparing.own_saved import read_saved
from trainables.preparing.reader import Reader
from trainables.preparing.roots import known_root
from trainables.preparing.text_reader import TextParams, TextReader
from trainables.preparing.tree import RawDataError, Tree

__all__ = ["OwnDataset", "OwnRecord", "own_class"]

T = TypeVar("T")

_PARAMS: Mapping[Kind, type[Any]] = MappingProxyType({"audio": AudioParams, "image": ImageParams, "text": TextParams})
_ENCODERS: Mapping[Kind, str] = MappingProxyType(
    {
        "audio": "ast:MIT/ast-finetuned-audioset-10-10-0.4593",
        "image": "vit:google/vit-base-patch16-224",
        "text": "bert:bert-base-uncased",
        "vector": "mlp_tiny",
    }
)
_BACKBONES: Mapping[tuple[Kind, ...], str] = MappingProxyType(
    {("image", "text"): "vilt:dandelin/vilt-b32-mlm", ("audio", "image"): "tvlt:ZinengTang/tvlt-base"}
)
_TINY: Mapping[Kind, Mapping[str, Any]] = MappingProxyType(
    {
        "audio": {"bands": 32, "frames": 64},
        "image": {"image_size": 32},
        "text": {"tokenizer": "words", "tokens": 32},
        "vector": {},
    }
)


@dataclass(frozen=True, kw_only=True)
class OwnRecord:
    """What is remembered of a user's own data set, besides its root. Plain data.

    Attributes:
        manifest: path of its table, relative to the root where that is possible; "" for a saved folder.
        kinds: modality -> what it is.
        widths: vector modality -> numbers per sample.
        classes: in their order.
        multi_label: whether a sample may have any number of them.
    """

    manifest: str
    kinds: Mapping[str, Kind]
    widths: Mapping[str, int]
    classes: tuple[str, ...]
    multi_label: bool

    def read(self, root: Path, audit: Audit) -> Listing:
        """Read the table as it is now."""
        return read_manifest(root / self.manifest, audit) if self.manifest else read_saved(root, list(self.kinds))


class OwnDataset(FileDataset):
    """A data set whose modalities and classes come from a table."""

    record: ClassVar[OwnRecord]

    def readers(self) -> Mapping[str, Reader]:
        """One per modality, by its kind."""
        return {name: self._reader(name, kind) for name, kind in self.record.kinds.items()}

    def index(self, tree: Tree, audit: Audit) -> Iterable[Sample]:
        """Read the table.

        Raises:
            RawDataError: it has other modalities or classes than when it was registered.
        """
        listing, record = self.record.read(tree.root, audit), self.record
        for what, now, before in (
            ("modalities", dict(listing.kinds), dict(record.kinds)),
            ("classes", listing.classes, record.classes),
            ("several labels per sample", listing.multi_label, record.multi_label),
        ):
            if now != before:
                raise RawDataError(
                    f"{self.key()} was registered with other {what}: {before}, now {now}; "
                    f"register it again: mmpt prepare {self.key()} --root {tree.root}{self._manifest_option()}"
                )
        return listing.samples

    def content(self) -> Mapping[str, str]:
        """Also what is remembered: the classes' order makes other targets."""
        return {"record": content_hash({**asdict(self.record), "manifest": ""}), **super().content()}

    def tree(self) -> Tree:
        """List the root; a table elsewhere belongs to it."""
        root = self.root or known_root(self.key(), self.card.title, self.layout)
        return Tree(root, [root / self.record.manifest])

    def _reader(self, name: str, kind: Kind) -> Reader:
        if kind == "vector":
            return NumbersReader(self.record.widths[name])
        if kind == "text":
            return TextReader(_narrowed(self.params, TextParams))
        if kind == "audio":
            return CellReader(AudioReader(_narrowed(self.params, AudioParams)))
        return CellReader(ImageReader(_narrowed(self.params, ImageParams)))

    def _manifest_option(self) -> str:
        return f" --manifest {self.record.manifest}" if self.record.manifest else ""


def own_class(key: str, record: OwnRecord) -> type[OwnDataset]:
    """Return the class of a user's own data set."""
    kinds = sorted(set(record.kinds.values()))
    shown = ", ".join(name if name == kind else f"{name} ({kind})" for name, kind in sorted(record.kinds.items()))
    labels = "any of" if record.multi_label else "one of"
    bases = tuple(_PARAMS[kind] for kind in kinds if kind in _PARAMS)
    one_of_each = len(kinds) == len(record.kinds)
    attributes = {
        "__module__": __name__,
        "__doc__": f"A data set of the user's own: {shown}.",
        "record": record,
        "card": DatasetCard(
            title=key,
            task=f"{labels} {len(record.classes)} classes",
            licence="the user's own data",
            source=record.manifest or "a folder saved by Hugging Face's datasets",
        ),
        "Params": dataclass(frozen=True, kw_only=True)(type("OwnParams", bases, {})),
        "default_encoders": MappingProxyType({name: _ENCODERS[kind] for name, kind in record.kinds.items()}),
        "default_backbone": _BACKBONES.get(tuple(kinds), "tokens_tiny") if one_of_each else "tokens_tiny",
        "presets": MappingProxyType(
            {"tiny": MappingProxyType({k: v for kind in kinds for k, v in _TINY[kind].items()})}
        ),
        "classes": record.classes,
        "multi_label": record.multi_label,
        "layout": f"{record.manifest or 'dataset_dict.json'}\nand the files that it names",
        "markers": (record.manifest or "dataset_dict.json",),
    }
    return type(camel_case(key), (OwnDataset,), attributes)


def _narrowed(params: Any, cls: type[T]) -> T:
    """Return the part that a reader needs, of a class that worker processes can import."""
    return cls(**{declared.name: getattr(params, declared.name) for declared in fields(cls)})  # type: ignore[arg-type]
