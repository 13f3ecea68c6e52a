"""The hash of a data set's index, kept beside the caches, so that planning need not read every index file again."""

import json
import os
from pathlib import Path
from typing import Any

from search_spaces.spec import content_hash
from trainables.cache_root import default_cache_root
from trainables.params import spell_out
from trainables.preparing.tree import Tree

__all__ = ["remembered_digest"]

_FOLDER = "indexes"


def remembered_digest(dataset: Any, tree: Tree) -> str:
    """Return `dataset.manifest(tree)`'s digest; it is computed only if a file of the tree has changed since.

    Raises:
        RawDataError, InvalidDataError: see `FileDataset.manifest`.
    """
    what = {
        "dataset": dataset.key(),
        "version": dataset.version,
        "params": spell_out(dataset.params),
        "root": str(tree.root),
    }
    path = default_cache_root() / _FOLDER / f"{dataset.key()}-{content_hash(what)}.json"
    signature = tree.signature
    known = _read(path)
    if known.get("signature") == signature:
        return str(known["digest"])
    digest = dataset.manifest(tree)[0].digest
    _write(path, {"signature": signature, "digest": digest})
    return str(digest)


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and "digest" in known else {}


def _write(path: Path, known: dict[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = path.with_name(f".{path.name}.{os.getpid()}")
        staging.write_text(json.dumps(known))
        staging.replace(path)
    except OSError:
        pass  # it is only a memory: without it the next call takes longer
