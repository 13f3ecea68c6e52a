"""Folders as the library `datasets` of Hugging Face writes them with `save_to_disk`, made with pyarrow alone."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

IMAGE: dict[str, Any] = {"_type": "Image"}
AUDIO: dict[str, Any] = {"_type": "Audio", "sampling_rate": 16000}
TEXT: dict[str, Any] = {"dtype": "string", "_type": "Value"}
WHOLE: dict[str, Any] = {"dtype": "int32", "_type": "Value"}
FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_TYPES = {"Image": FILE, "Audio": FILE}


def class_label(*names: str) -> dict[str, Any]:
    return {"names": list(names), "_type": "ClassLabel"}


def list_of(feature: Mapping[str, Any], form: str = "List") -> dict[str, Any]:
    return {"feature": dict(feature), "_type": form}


FLOATS = list_of({"dtype": "float32", "_type": "Value"})


def save_split(folder: Path, features: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], shards: int = 1) -> None:
    """Write one split; a shard has record batches of four rows."""
    folder.mkdir(parents=True)
    names = [f"data-{shard:05d}-of-{shards:05d}.arrow" for shard in range(shards)]
    per_shard = -(-len(rows) // shards)
    for shard, name in enumerate(names):
        part = rows[shard * per_shard : (shard + 1) * per_shard]
        columns = {
            column: pa.array([row[column] for row in part], _TYPES.get(str(feature.get("_type"))))
            for column, feature in features.items()
        }
        table = pa.table(columns)
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table, max_chunksize=4)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0", "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features, "citation": ""}))


def save(root: Path, features: Mapping[str, Any], splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write all splits, train in two shards."""
    for split, rows in splits.items():
        save_split(root / split, features, rows, 2 if split == "train" else 1)
    (root / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
