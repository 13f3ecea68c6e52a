"""Building what a trial trains: its data on the device, its model, and the weights it starts from."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from results.metrics import score
from results.schema import LogitsKey
from results.store import Store
from search_spaces.errors import MmptError
from search_spaces.modality import patterns
from search_spaces.spec import TrialSpec
from trainables.api import Dataset, Method
from trainables.checkpoint import unpack
from trainables.data import SplitData, load_split
from trainables.dataset_identity import compute_fingerprint, open_dataset
from trainables.devices import Compute, seed_everything
from trainables.missing import training_mask
from trainables.prepared import Prepared, prepare, verify
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.tree import RawDataError
from trainables.resolve import Resolved
from trainables.shared_cache import SharedCache, share_prepared

__all__ = [
    "build_method",
    "check_prepared",
    "find_data",
    "load_splits",
    "open_prepared",
    "prepare_data",
    "raw_root",
    "required_weights",
]

_INITIAL_STREAM = 0
_MOST_OPENED = 4
_OPENED: dict[tuple[str, str], Prepared] = {}


def open_prepared(resolved: Resolved, cache: str, data_root: str = "", shared_cache: str = "") -> Prepared:
    """Open a trial's prepared data, see `prepare_data`; a warm worker keeps it open."""
    key = (cache, resolved.fingerprint)
    if key not in _OPENED:
        if len(_OPENED) == _MOST_OPENED:
            _OPENED.pop(next(iter(_OPENED)))
        _OPENED[key] = prepare_data(resolved.spec, resolved.fingerprint, cache, data_root, shared_cache)
    return _OPENED[key]


def prepare_data(
    spec: TrialSpec, fingerprint: str, cache: str, data_root: str = "", shared_cache: str = ""
) -> Prepared:
    """Return a spec's prepared data; a node that lacks it downloads it, or else prepares it and shares it.

    Args:
        spec: names the data set and its parameters.
        fingerprint: of the data, as planning found it.
        cache: folder of prepared data.
        data_root: folder of raw files on the driver; used if this machine has it, too.
        shared_cache: folder or bucket URL in which machines share prepared data; "" for none.

    Raises:
        MmptError: the raw files on this machine are not those that the trial was planned with; or the shared cache
            cannot be used, or is damaged.
    """
    if not (Path(cache) / fingerprint).exists() and shared_cache:
        SharedCache(shared_cache).fetch(fingerprint, Path(cache))
    was_there = (Path(cache) / fingerprint).exists()
    prepared = prepare(_found(spec, fingerprint, cache, data_root), fingerprint, Path(cache))
    if not was_there:
        share_prepared(fingerprint, cache, shared_cache)
    return prepared


def find_data(spec: TrialSpec, fingerprint: str, cache: str, data_root: str = "", shared_cache: str = "") -> str:
    """Say where this machine has a spec's data, preparing nothing; arguments and errors as of `prepare_data`."""
    if (Path(cache) / fingerprint).exists():
        return f"prepared in {Path(cache) / fingerprint}"
    if shared_cache and SharedCache(shared_cache).has(fingerprint):
        return f"prepared in {shared_cache}"
    dataset = _found(spec, fingerprint, cache, data_root)
    return f"to be prepared from {dataset.raw_folder()}" if isinstance(dataset, FileDataset) else "to be computed"


def _found(spec: TrialSpec, fingerprint: str, cache: str, data_root: str) -> Dataset:
    """Return a spec's data set, its raw files found and compared if they are still needed."""
    dataset, _ = open_dataset(spec)
    if isinstance(dataset, FileDataset) and not (Path(cache) / fingerprint).exists():
        dataset.root = Path(data_root) if data_root and Path(data_root).is_dir() else None
        _check_same_files(dataset, fingerprint)
    return dataset


def _check_same_files(dataset: FileDataset, fingerprint: str) -> None:
    found = compute_fingerprint(dataset)
    if found != fingerprint:
        where = dataset.tree().root
        raise MmptError(
            f"the files of {dataset.key()} in {where} are {found}, the sweep was planned with {fingerprint}: "
            "they differ from the driver's, or changed since planning"
        )


def raw_root(spec: TrialSpec) -> str:
    """Return the folder of a data set's raw files on this machine; "" if it has none or none is known."""
    dataset, _ = open_dataset(spec)
    if not isinstance(dataset, FileDataset):
        return ""
    try:
        return str(dataset.raw_folder())
    except RawDataError:
        return ""


def check_prepared(resolved: Resolved, cache: str) -> None:
    """Read back every byte of a data set's cache on this machine, if there is one, before any trial relies on it.

    Raises:
        PreparedError: the cache is damaged; the message names the folder and the cure.
    """
    if (Path(cache) / resolved.fingerprint).exists():
        verify(resolved.fingerprint, Path(cache))


def load_splits(prepared: Prepared, resolved: Resolved, compute: Compute) -> dict[str, SplitData]:
    """Return train (with the trial's missing mask), val and test; lost inputs never reach the method."""
    splits = {name: load_split(prepared, name, resolved.used, compute) for name in ("train", "val", "test")}
    train, rows = splits["train"], prepared.rows("train")
    present = {name: prepared.present[name][rows] for name in prepared.info.modalities}
    mask = training_mask(train.sample_ids, present, resolved.spec.p_train, resolved.spec.seed, resolved.spec.missing)
    return {**splits, "train": train.masked(mask)}


def build_method(resolved: Resolved, compute: Compute) -> Method:
    """Return the method with seeded initial weights, on the device."""
    seed_everything(resolved.spec.seed, _INITIAL_STREAM)
    info = resolved.info
    names = {name: str(part) for name, part in resolved.spec.encoders.items()}
    fusion = resolved.fusion.build(names, info.inputs, resolved.used, info.num_classes)
    fusion.autocast, fusion.spread = compute.autocast, compute.workers.spread
    return resolved.method(resolved.spec, info, fusion, resolved.hyperparameters).to(compute.device)


def required_weights(
    store: Store, requires: Mapping[str, str], method: Method, val: SplitData
) -> tuple[dict[str, Mapping[str, Tensor]], dict[str, float]]:
    """Return by name the weights of the required trials that the method chooses, and the scores it asked for.

    Raises:
        MmptError: they were not kept.
    """
    scores: dict[str, float] = {}

    def val_score(name: str) -> float:
        scores[name] = _val_score(store, requires[name], val)
        return scores[name]

    found: dict[str, Mapping[str, Tensor]] = {}
    for name in method.chosen(list(requires), val_score):
        data = store.read_model(requires[name])
        if data is None:
            raise MmptError(f"the weights of the required trial {requires[name]} ({name}) are not in the store")
        found[name] = unpack(data)[0]["model"]
    return found, scores


def _val_score(store: Store, trial_id: str, val: SplitData) -> float:
    """Return macro F1 of the full pattern's probe on the validation samples that have every modality."""
    full = patterns(val.modalities)[0]
    seen = val.has(full)
    logits = store.read_trial(trial_id).logits[LogitsKey("probe", full.key, "val")]
    return score(logits[seen], val.targets_host[seen])
