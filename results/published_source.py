"""The papers' numbers as a source of their own, so that the tables of a user's trials can show the papers', too."""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from results.data import StoreData, from_sources
from results.metrics import METRICS
from results.published import published, read_table
from results.schema import Samples
from results.scores import SCORES_SCHEMA
from results.sources import FACTS
from results.trial_rows import as_frame
from search_spaces.errors import InvalidValueError, MmptError
from search_spaces.missing_rates import INDEPENDENT
from search_spaces.modality import FULL, Pattern, patterns

__all__ = ["PublishedSource", "as_data"]

_ROUTES = {"mmpt": "probe"}
"""Route of a paper's numbers; `head` for papers that are not named."""
_ONE_PER_PATTERN = "unimodal"
_IMPUTED_FROM = "_from_(.+)"  # vae_imputation_from_naive: the method, and whose features it completes
_KEYS = ["dataset", "fusion", "method", "variant"]


class PublishedSource:
    """One made-up trial per printed model, with the printed scores on `val` and `test`; see `results.sources.Source`.

    A model is what a paper trained on complete data and scored per pattern; partial missing rates, at which other
    tables score, have no pattern: they are in `published` alone. What several tables print is taken from the first.
    Modality dropout trains one model per modality and prints the best: it is one trial here. Since the
    validation scores are copies, a selection among these trials reads test scores: a source to show, never to be
    loaded together with a store's, in whose ranking it has no place.

    Its facts: `seconds/total` is the method's estimated compute (naive late fusion = 1), for ties that the cheaper
    method wins; `probe/<modality>/train_loss` of the naive model are made up such that their ratio is the
    printed weakness score W: W for the modality that it is printed for, 1.0 for the other.

    Args:
        paper: name in `results.published.PAPERS`.
        tables: numbers of the tables to use; None: all.

    Raises:
        UnknownNameError: the numbers of no such paper are here.
        InvalidValueError: the paper has no such table, or it is not here.
    """

    def __init__(self, paper: str, tables: Collection[int] | None = None) -> None:
        self._paper = paper
        self.place = f"the paper {paper}"
        self.corrupt: Mapping[str, str] = {}
        self._route = _ROUTES.get(paper, "head")
        printed = published(paper)
        known = sorted(set(printed["table"]))
        if tables is not None and not set(tables) <= set(known):
            raise InvalidValueError(f"tables of {self.place}", sorted(tables), f"some of {known}")
        self._printed = printed[printed["table"].isin(known if tables is None else tables)]
        names = read_table("names")
        names = names[names["paper"] == paper]
        self._titles = dict(zip(zip(names["kind"], names["key"], strict=True), names["title"], strict=True))
        datasets = names[names["kind"] == "dataset"]
        self._full = dict(zip(datasets["key"], map(Pattern.from_key, datasets["modalities"]), strict=True))

    @cached_property
    def _models(self) -> pd.DataFrame:
        """One row per score: the columns of `published`, `pattern`, `variant` (axis=value or empty), `trial_id`."""
        rows = self._printed
        rows = rows[rows["metric"].isin(METRICS) & (rows["train"] == "complete") & (rows["available"] != "")]
        full = rows["dataset"].map(lambda key: self._full[key].key)
        pattern = rows["available"].where(rows["available"] != FULL, full)
        source = rows["method"].str.extract(_IMPUTED_FROM, expand=False)
        method = rows["method"].str.replace(_IMPUTED_FROM, "", regex=True)
        rows = rows.assign(pattern=pattern, method=method, variant=source.fillna(""))
        rows["variant"] = rows["variant"].where(rows["method"] != _ONE_PER_PATTERN, rows["pattern"])
        rows = rows.drop_duplicates([*_KEYS, "pattern", "metric"])
        first = rows.groupby(_KEYS)["table"].transform("min")
        parts = zip(rows["paper"], first, rows["fusion"], rows["method"], rows["variant"], rows["dataset"], strict=True)
        return rows.assign(trial_id=["-".join(filter(None, map(str, part))) for part in parts])

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per model; see `results.sources.Source`."""
        return as_frame(self._row(str(key), rows) for key, rows in self._models.groupby("trial_id"))

    def _row(self, trial_id: str, rows: pd.DataFrame) -> dict[str, str | int]:
        first = rows.iloc[0]
        printed = set(rows["pattern"])
        own: dict[str, Any] = {name: first[name] for name in ("dataset", "fusion", "method")}
        own |= {"p_train": "0", "missing": INDEPENDENT}
        axis = "method.modality" if first["method"] == _ONE_PER_PATTERN else "method.source"
        axes = own | ({axis: first["variant"]} if first["variant"] else {})
        titles = {kind: self._titles[kind, first[kind]] for kind in ("method", "dataset")}
        tables = sorted({int(table) for table in rows["table"]})
        return {
            **own,
            "trial_id": trial_id,
            "config": trial_id,
            "mask_fingerprint": "",
            "fingerprint": self._fingerprint(first["dataset"]),
            "seed": 0,
            "reports": ",".join(each.key for each in patterns(self._full[first["dataset"]]) if each.key in printed),
            "axes": json.dumps(axes, sort_keys=True),
            "titles": json.dumps(titles, sort_keys=True),
            "provenance": json.dumps({"paper": first["paper"], "tables": tables}, sort_keys=True),
        }

    def samples(self, fingerprint: str) -> Samples:
        """Return a data set's modalities; papers print no samples, so there are no rows and no classes."""
        dataset = {self._fingerprint(key): key for key in self._full}[fingerprint]
        return Samples(
            fingerprint=fingerprint,
            dataset=dataset,
            modalities=[str(name) for name in self._full[dataset]],
            class_names=[],
            multi_label=False,
            frame=pd.DataFrame({"sample_id": [], "split": [], "group": []}, dtype=str),
            targets=np.zeros(0, dtype=np.int64),
        )

    def scores(self, split: str | None, route: str | None, metric: str | None) -> pd.DataFrame:
        """Return the printed scores, the same for both splits; see `results.sources.Source`."""
        rows = pd.concat([self._models.assign(split=name, route=self._route) for name in ("val", "test")])
        for name, wanted in (("split", split), ("route", route), ("metric", metric)):
            rows = rows if wanted is None else rows[rows[name] == wanted]
        return rows[["trial_id", *SCORES_SCHEMA.names]]

    def facts(self, trial_ids: Collection[str]) -> pd.DataFrame:
        """Return the made-up facts that the class describes; see `results.sources.Source`."""
        wanted = self.trials[self.trials["trial_id"].isin(trial_ids)]
        rows = [(row.trial_id, *fact) for row in wanted.itertuples() for fact in self._facts(row)]
        return pd.DataFrame(rows, columns=list(FACTS))

    def _facts(self, trial: Any) -> Iterator[tuple[str, float]]:
        for costs in read_table("relative_cost").to_dict("records"):
            if costs["method"] == trial.method and costs.get(trial.fusion):
                yield "seconds/total", float(costs[trial.fusion])
        printed = self._printed[self._printed["metric"] == "weakness_score"]
        for row in printed.to_dict("records"):
            if all(row[name] == getattr(trial, name) for name in ("dataset", "fusion", "method")):
                for name in self._full[trial.dataset]:
                    yield f"probe/{name}/train_loss", row["value"] if name == row["available"] else 1.0

    def _fingerprint(self, dataset: str) -> str:
        """Name a paper's version of a data set: papers differ in splits and preparation."""
        return f"published-{self._paper}-{dataset}"

    def logits(self, trial_id: str) -> NoReturn:
        """Refuse: see `record`."""
        self.record(trial_id)

    def record(self, trial_id: str) -> NoReturn:
        """Refuse: there are scores, but no logits.

        Raises:
            MmptError: always.
        """
        raise MmptError(f"{trial_id}: {self.place} prints scores and no logits")


def as_data(paper: str, tables: Collection[int] | None = None) -> StoreData:
    """Return a paper's models as tables and figures read a store; see `PublishedSource`."""
    return from_sources([PublishedSource(paper, tables)])
