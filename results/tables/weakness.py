"""The table of MMPT's weakness scores: which modality joint training neglects, per data set and fusion."""

from collections.abc import Sequence
from math import isfinite, isinf

from results.curves import Options, curves_of
from results.frame import StoreData
from results.layout import dataset_title
from results.metrics import metric_named
from results.render import Cell, Column, Nothing, Row, Table, scored
from results.selection import Pick
from results.weakness import probe_train_losses, weakness_scores
from search_spaces.modality import Pattern

__all__ = ["build"]

_METHOD = "naive"


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table over all data sets, from the selected naive trials with p_train = 0."""
    curves = curves_of(data, options)
    found = [(group, curves.pick(group, Pattern(curves.modalities(group)).key)) for group in curves.groups]
    picks = [(g, pick) for g, pick in found if (g.method, g.p_train) == (_METHOD, "0") and pick is not None]
    if not picks:
        return Nothing("no finished naive trial with p_train = 0")
    names = sorted({name for group, _ in picks for name in curves.modalities(group)})
    groups = [group for group, _ in picks]
    rows = tuple(
        Row(
            f"{dataset_title(data, group, groups)}, {group.fusion} fusion",
            tuple(_cell(data, pick, name) for name in names),
        )
        for group, pick in picks
    )
    seeds = sorted({seed for _, pick in picks for seed in pick.seeds})
    return [
        Table(
            name="weakness",
            title="Weakness scores of naive training",
            caption="Training-set loss of the probe on a modality, divided by the mean loss of the others'. Below 1: "
            "the stronger modality, above 1: the weaker one. Losses are those of fresh linear probes on frozen "
            "features, whatever the route. "
            f"Selection: {options.rule} by {metric_named(options.metric).title}, route {options.route}. "
            f"Mean and standard deviation over seeds. Seeds: {', '.join(map(str, seeds))}. "
            f"Data: {'; '.join(dict.fromkeys(f'{g.dataset} {g.fingerprint[:8]}' for g in groups))}.",
            columns=tuple(Column("", name.replace("_", " ").capitalize()) for name in names),
            rows=rows,
            percent=False,
            digits=3,
            num_seeds=len(seeds),
            about={**vars(options), "fingerprints": sorted({group.fingerprint for group in groups})},
        )
    ]


def _cell(data: StoreData, pick: Pick, name: str) -> Cell:
    scores: dict[str, float] = {}
    for trial_id in pick.trial_ids:
        found = weakness_scores(probe_train_losses(data.headers[trial_id]))
        if name in found:
            scores[trial_id] = found[name].score
    return _summary(list(scores.values()), list(scores), name)


def _summary(scores: Sequence[float], trial_ids: Sequence[str], name: str) -> Cell:
    if not scores:
        return Cell(reason=f"no training-set loss of a probe on {name}")
    if any(isinf(score) for score in scores):
        return Cell(text="inf", reason="the other modalities' loss is practically zero", trial_ids=tuple(trial_ids))
    if not all(map(isfinite, scores)):
        return Cell(reason=f"a probe's training-set loss is not a finite number, so {name} has no score")
    return scored(scores, trial_ids)
