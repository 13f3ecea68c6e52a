"""A user's own data without a loader: a manifest, or a folder that Hugging Face's `datasets` saved, under a name."""

import os
from collections.abc import Collection
from pathlib import Path

from search_spaces.catalog import camel_case, snake_case
from search_spaces.errors import InvalidValueError
from search_spaces.presets import PRESETS
from trainables.dataset_catalog import DATASETS
from trainables.decoding.arrays import decode_npy
from trainables.params import read_params
from trainables.preparing.audit import Audit
from trainables.preparing.manifest import Media
from trainables.preparing.own_dataset import OwnRecord, own_class
from trainables.preparing.own_listing import Listing
from trainables.preparing.own_manifest import read_manifest
from trainables.preparing.own_saved import is_saved, read_saved
from trainables.preparing.reader import file_bytes
from trainables.preparing.registered import remember
from trainables.preparing.roots import remember_root
from trainables.preparing.tree import RawDataError

__all__ = ["register_manifest", "register_own", "register_saved_dataset"]

_FLOAT32_BYTES = 4


def register_own(name: str, root: Path | None, manifest: Path | None, modalities: Collection[str] = ()) -> None:
    """Register what a command line names: a manifest, or a saved folder under a name that no built-in data set has.

    Args:
        name: see `register_manifest`.
        root: the folder; by default the manifest's own.
        manifest: the table, if there is one.
        modalities: see `register_saved_dataset`; none stands for all.

    Raises:
        MmptError: see `register_manifest` and `register_saved_dataset`.
    """
    if manifest is not None:
        register_manifest(name, root or manifest.absolute().parent, manifest)
    elif root is not None and name not in DATASETS.shipped() and is_saved(root):
        register_saved_dataset(name, root, modalities or None)


def register_manifest(name: str, root: str | os.PathLike[str], manifest: str | os.PathLike[str]) -> str:
    """Let every process on this machine find a manifest's data set under a name; replaces an earlier one.

    Args:
        name: snake_case; what specs call the data set.
        root: folder to which the manifest's paths are relative.
        manifest: .csv, .tsv or .parquet, relative to the current directory or to the root;
            see `trainables.preparing.own_manifest.read_manifest` for its columns.

    Returns:
        The name.

    Raises:
        InvalidValueError: the name cannot be used.
        RawDataError, UnknownNameError, InvalidDataError: the manifest is not what it should be.
    """
    folder = Path(root).absolute()
    given = Path(manifest)
    path = given.absolute() if given.exists() else folder / given
    where = path.relative_to(folder) if path.is_relative_to(folder) else path
    return _register(name, folder, where.as_posix(), read_manifest(path, Audit()))


def register_saved_dataset(name: str, root: str | os.PathLike[str], modalities: Collection[str] | None = None) -> str:
    """Let every process on this machine find a folder of `DatasetDict.save_to_disk` under a name.

    Args:
        name: snake_case; what specs call the data set.
        root: folder with dataset_dict.json.
        modalities: columns to use; by default all of images, audio, texts and lists of floats.

    Returns:
        The name.

    Raises:
        InvalidValueError: the name cannot be used.
        RawDataError, UnknownNameError, InvalidDataError: the folder is not what it should be.
    """
    folder = Path(root).absolute()
    return _register(name, folder, "", read_saved(folder, modalities))


def _register(name: str, root: Path, manifest: str, listing: Listing) -> str:
    _check_name(name)
    record = OwnRecord(
        manifest=manifest,
        kinds=listing.kinds,
        widths={name: _width(name, listing, root) for name, kind in listing.kinds.items() if kind == "vector"},
        classes=listing.classes,
        multi_label=listing.multi_label,
    )
    cls = own_class(name, record)
    dataset = cls(read_params(cls.Params, {}, name, cls.modalities()))
    dataset.root = root
    dataset.manifest()
    remember(name, record)
    remember_root(name, root)
    return name


def _check_name(name: str) -> None:
    from trainables.catalogs import METHODS  # noqa: PLC0415 (needs torch, which preparing does without)

    if not name.isidentifier() or snake_case(camel_case(name)) != name:
        raise InvalidValueError("data set", name, "a snake_case name such as my_films")
    if name in {"encoder", *DATASETS.shipped(), *METHODS.names(), *PRESETS.names()}:
        raise InvalidValueError("data set", name, "a name that no built-in data set, method or preset has")


def _width(modality: str, listing: Listing, root: Path) -> int:
    """Return the length of the first vector that can be read."""
    for sample in listing.samples:
        width = _length(sample.media.get(modality), root)
        if width:
            return width
    raise RawDataError(f"no vector of {modality} can be read: expected npy files below {root}, or lists of numbers")


def _length(media: Media, root: Path) -> int | None:
    if isinstance(media, bytes):
        return len(media) // _FLOAT32_BYTES
    data = file_bytes(root, media) if isinstance(media, str) else None
    values = None if data is None else decode_npy(data).values
    return None if values is None or not values.ndim else int(values.shape[-1])
