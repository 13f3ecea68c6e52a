"""What sweeps have planned: a small file each, so that a report can tell "not finished" from "never asked for"."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

import pandas as pd
import pyarrow as pa

from results.files import Files
from results.naming import file_name
from results.schema import read_parquet, write_parquet
from results.trial_rows import TRIALS_SCHEMA, as_frame

__all__ = ["Plans"]

_PLANS = "plans"


class Plans:
    """A store's plan files, `plans/<sweep>.parquet`, with the columns of `results.trial_rows.TRIALS_SCHEMA`."""

    files: Files

    def write_plan(self, sweep: str, rows: Iterable[Mapping[str, str | int]]) -> None:
        """Replace what a sweep has planned."""
        table = pa.Table.from_pylist([dict(row) for row in rows], schema=TRIALS_SCHEMA)
        self.files.write(write_parquet(table, {"sweep": sweep}), _PLANS, f"{file_name(sweep)}.parquet")

    def planned(self) -> pd.DataFrame:
        """Return the trials of all plans, each once; a plan that cannot be read counts as none."""
        parts = [as_frame([])]
        found = self.files.read_many([(_PLANS, name) for name in self.files.names(_PLANS)])
        for (_, name), data in found.items():
            with suppress(pa.ArrowException):
                parts.append(read_parquet(data, f"plan {name}")[0].to_pandas())
        return pd.concat(parts).drop_duplicates("trial_id").reset_index(drop=True)
