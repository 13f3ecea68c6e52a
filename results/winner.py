"""The one trial that a selection rule puts first: for whoever wants a model rather than a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from results.candidates import Group
from results.data import StoreData
from results.options import Options
from results.rules import rule_named
from results.selection import Pick, select
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from search_spaces.modality import FULL, Pattern, pattern_label

__all__ = ["COMPARABLE", "Winner", "winner"]

COMPARABLE = ("dataset", "fingerprint", "p_train", "missing")
"""What trials must have in common for one of them to be better; methods and fusions compete."""


@dataclass(frozen=True, kw_only=True)
class Winner:
    """A trial that a rule has chosen.

    Attributes:
        trial_id: of the configuration's seeds the one with the best validation score.
        group: what it was compared within, and its method and fusion.
        pattern: key of the available modalities under which scores were compared.
        score: its own validation score.
        mean: that of its configuration over seeds, by which the configuration was chosen.
        seeds: how many seeds the configuration has.
    """

    trial_id: str
    group: Group
    pattern: str
    score: float
    mean: float
    seeds: int


def winner(data: StoreData, options: Options, where: Mapping[str, str] | None = None, pattern: str = FULL) -> Winner:
    """Return the best trial of a store.

    Of what the rule has chosen per method and fusion, the highest score wins, then its best seed; a rule that reads
    validation decides nothing by test scores.

    Args:
        data: the trials to choose from.
        options: metric, route and rule.
        where: `Group`'s fields that a trial must have, as text: `{"method": "mtl", "p_train": "audio:0.3"}`.
        pattern: key of the available modalities under which scores are compared, or `all`.

    Raises:
        UnknownNameError: no such field, value or pattern, or what `select` raises.
        InvalidValueError: trials are left that cannot be compared, for instance of two data sets.
    """
    chosen = _within(select(data, options), dict(where or {}))
    for field in COMPARABLE:
        found = sorted({getattr(group, field) for group, _ in chosen})
        if len(found) > 1:
            raise InvalidValueError(f"{field} of the trials to choose from", found, f"one, as in --where {field}=...")
    modalities = next(iter(data.samples[group.fingerprint].modalities for group, _ in chosen))
    labels = {key: pattern_label(Pattern.from_key(key), modalities) for _, key in chosen}
    wanted = {group: pick for (group, key), pick in chosen.items() if pattern in (key, labels[key])}
    if not wanted:
        raise UnknownNameError("pattern", pattern, labels)
    group, pick = max(wanted.items(), key=lambda item: item[1].validation)
    key = next(key for (other, key), one in chosen.items() if other == group and one is pick)
    scores = _seed_scores(data, options, pick, key)
    best = max(pick.trial_ids, key=lambda trial_id: scores[trial_id])
    return Winner(
        trial_id=best, group=group, pattern=key, score=scores[best], mean=pick.validation, seeds=len(pick.seeds)
    )


def _within(picks: Mapping[tuple[Group, str], Pick], where: dict[str, str]) -> dict[tuple[Group, str], Pick]:
    left = dict(picks)
    for field, value in where.items():
        if field not in Group._fields:
            raise UnknownNameError("field to choose by", field, Group._fields)
        known = {getattr(group, field) for group, _ in left}
        left = {key: pick for key, pick in left.items() if getattr(key[0], field) == value}
        if not left:
            raise UnknownNameError(field, value, known)
    if not left:
        raise MmptError("there is no trial to choose from")
    return left


def _seed_scores(data: StoreData, options: Options, pick: Pick, pattern: str) -> dict[str, float]:
    rows = data.scores(rule_named(options.rule).split, options.route, options.metric)
    rows = rows[(rows["pattern"] == pattern) & rows["trial_id"].isin(pick.trial_ids)]
    return dict(zip(rows["trial_id"].tolist(), rows["value"].astype(float).tolist(), strict=True))
