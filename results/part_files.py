"""The files of a part, many trials folded into one immutable folder: every byte is checked before it is used.

`DONE` lists each file's blocks, its row groups and its footer, with their checksums; a part is named by the hash of
that list, so that nothing in it can change unnoticed.
"""

import hashlib
import io
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from results.blocks import Block, intact
from results.file_system import StoreAccessError
from results.files import Files, StoreError
from results.schema import HISTORY_SCHEMA, check_version
from results.scores import SCORES_SCHEMA
from results.trial_rows import TRIALS_SCHEMA

__all__ = [
    "COMPACTED",
    "FACTS",
    "FACTS_SCHEMA",
    "HISTORY",
    "PART_DONE",
    "PART_HISTORY_SCHEMA",
    "PART_SCORES_SCHEMA",
    "PART_TRIALS_SCHEMA",
    "SCORES",
    "TRIALS",
    "PartFiles",
    "part_name",
]

COMPACTED, PART_DONE = "compacted", "DONE"
TRIALS, SCORES, FACTS, HISTORY = "trials.parquet", "scores.parquet", "facts.parquet", "history.parquet"

_ID = pa.field("trial_id", pa.string(), nullable=False)
PART_TRIALS_SCHEMA = pa.schema(
    [
        *TRIALS_SCHEMA,
        pa.field("header", pa.string(), nullable=False),  # the folder's spec.json: schema version, spec and facts
        pa.field("logits", pa.string(), nullable=False),  # the file with its logits
        pa.field("row_group", pa.int32(), nullable=False),  # where they are in it
        pa.field("origin", pa.string(), nullable=False),  # SHA-256 of the folder's DONE
    ]
)
"""Columns of a part's `trials.parquet`: one row per trial, sorted by `trial_id`."""
PART_SCORES_SCHEMA = pa.schema([_ID, *SCORES_SCHEMA])
"""Columns of a part's `scores.parquet`; a row group holds one metric, route and split."""
FACTS_SCHEMA = pa.schema([_ID, *(HISTORY_SCHEMA.field(name) for name in ("name", "value"))])
"""Columns of a part's `facts.parquet`: the history's rows without an epoch, sorted by `trial_id`."""
PART_HISTORY_SCHEMA = pa.schema([_ID, *HISTORY_SCHEMA])
"""Columns of a part's `history.parquet`, sorted by `trial_id`."""


def part_name(done: bytes) -> str:
    """Return the name of the part that has this `DONE`."""
    return hashlib.sha256(done).hexdigest()[:16]


class PartFiles:
    """One folder `compacted/<name>/`.

    Attributes:
        name: hash of its `DONE`.
        trial_ids: sorted.
        order: of parts that share a trial, the later one has the higher order, and wins.
        refusal: why it cannot be used at all.
    """

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self.name = name
        self.trial_ids: Sequence[str] = ()
        self.order = 0
        self.refusal: StoreError | None = None
        self._blocks: Mapping[str, Sequence[Block]] = {}
        try:
            self._read_done()
        except StoreError as error:
            self.refusal = error
        if not self.trial_ids:
            self._ids_without_done()

    def _read_done(self) -> None:
        try:
            data = self._files.read(COMPACTED, self.name, PART_DONE)
        except StoreAccessError:
            raise
        except OSError as error:
            raise self._damage(PART_DONE, str(error)) from error
        if part_name(data) != self.name:
            raise self._damage(PART_DONE, "it is not what was written")
        done = json.loads(data)
        self.trial_ids = done["trial_ids"]
        check_version(int(done["schema_version"]), self._files.path(COMPACTED, self.name))
        self._blocks = {name: [Block(*block) for block in own] for name, own in done["files"].items()}
        self.order = done["order"]

    def _ids_without_done(self) -> None:
        """Find out which trials are lost with a damaged `DONE`."""
        try:
            data = io.BytesIO(self._files.read(COMPACTED, self.name, TRIALS))
            table = pq.read_table(data, columns=["trial_id"], page_checksum_verification=True)
        except StoreAccessError:
            raise
        except (pa.ArrowException, OSError):
            return
        self.trial_ids = sorted(table["trial_id"].to_pylist())

    def _damage(self, name: str, why: str) -> StoreError:
        folder = self._files.path(COMPACTED, self.name)
        cure = f"restore it from a copy, or delete the folder {folder}: its trials then count as not done"
        return StoreError(f"{self._files.path(COMPACTED, self.name, name)}: {why}; {cure}")

    def __contains__(self, trial_id: object) -> bool:
        place = bisect_left(self.trial_ids, str(trial_id))
        return place < len(self.trial_ids) and self.trial_ids[place] == trial_id

    def problem(self) -> str | None:
        """Return what is wrong at first sight: `DONE` is damaged, or a file is not there or not as long as it was."""
        try:
            self.check_sizes()
        except StoreError as error:
            return str(error)
        return None

    def check_sizes(self) -> None:
        """Refuse a part of which `problem` has something to say.

        Raises:
            StoreError: what it says.
        """
        if self.refusal is not None:
            raise self.refusal
        sizes = self._files.sizes(COMPACTED, self.name)
        for name, own in self._blocks.items():
            if name not in sizes:
                raise self._damage(name, "it is not there")
            if sizes[name] != own[-1].end:
                raise self._damage(name, f"it has {sizes[name]} bytes, not {own[-1].end}")

    def whole(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            StoreError: they are not those written.
        """
        if self.refusal is not None:
            raise self.refusal
        try:
            data = self._files.read(COMPACTED, self.name, name)
        except StoreAccessError:
            raise
        except OSError as error:
            raise self._damage(name, str(error)) from error
        view, own = memoryview(data), self._blocks[name]
        if len(data) != own[-1].end or not all(intact(block, view[block.start : block.end]) for block in own):
            raise self._damage(name, "it is not what was written")
        return data

    def _block(self, name: str, place: int) -> bytes:
        """Return one block's bytes; place -1 is the footer."""
        if self.refusal is not None:
            raise self.refusal
        block = self._blocks[name][place]
        try:
            data = self._files.read_range(block.start, block.end, COMPACTED, self.name, name)
        except StoreAccessError:
            raise
        except OSError as error:
            raise self._damage(name, str(error)) from error
        if not intact(block, data):
            raise self._damage(name, f"bytes {block.start} to {block.end} are not what was written")
        return data

    def _intact(self, name: str) -> bool:
        try:
            for place in range(len(self._blocks[name])):
                self._block(name, place)
        except StoreError:
            return False
        return True
