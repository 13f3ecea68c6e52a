"""What a paper prints at several missing rates, as curves to stand beside a user's."""

from collections.abc import Sequence
from typing import NamedTuple

from results.candidates import Group
from results.curves import Curve, families
from results.published import PAPERS, published, read_table
from results.trial_rows import rates_text

__all__ = ["PublishedCurve", "published_curves"]

_FEWEST = 2  # rates that make a curve


class PublishedCurve(NamedTuple):
    """A printed curve.

    Attributes:
        family: what goes missing, as in `results.curves.families`.
        method: its key.
        title: its name, that it is printed, and how it was trained.
        source: paper and table.
        curve: per rate the printed score alone; no trials, no seeds.
    """

    family: str
    method: str
    title: str
    source: str
    curve: Curve


def published_curves(paper: str, group: Group, modalities: Sequence[str], metric: str) -> list[PublishedCurve]:
    """Return what a paper prints for the data set and fusion of a group, at two rates of a family or more.

    Papers print such scores of models that were trained anew at each of the test's own rates (p_train = p_test).

    Raises:
        UnknownNameError: the numbers of no such paper are here.
    """
    rows = published(paper)
    rows = rows[(rows["dataset"] == group.dataset) & (rows["fusion"] == group.fusion) & (rows["metric"] == metric)]
    rows = rows[(rows["p_test"] != "") & (rows["train"] == rows["p_test"])]
    names = read_table("names")
    names = names[(names["paper"] == paper) & (names["kind"] == "method")]
    titles = dict(zip(names["key"], names["title"], strict=True))
    found = []
    for family, rates in families(modalities).items():
        keys = [rates_text(rate, modalities) for rate in rates]
        for (table, method), own in rows[rows["p_test"].isin(keys)].groupby(["table", "method"], sort=False):
            if len(own) >= _FEWEST:
                scores = dict(zip(own["p_test"], own["value"], strict=True))
                title = f"{titles.get(str(method), str(method))} as printed (p_train = p_test)"
                source = f"{PAPERS[paper]}, table {table}"
                curve = _curve([scores.get(key) for key in keys], source)
                found.append(PublishedCurve(family, str(method), title, source, curve))
    return found


def _curve(values: Sequence[float | None], source: str) -> Curve:
    return Curve(
        values=tuple(() if value is None else (float(value),) for value in values),
        errors=(0.0,) * len(values),
        trial_ids=((),) * len(values),
        reasons=tuple(f"not printed in {source}" if value is None else "" for value in values),
        seeds=(),
    )
