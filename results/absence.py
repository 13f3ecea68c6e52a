"""Why a cell is empty: nothing planned, not finished, failed, other data, or a model that cannot predict from that."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from results.candidates import Group
from results.data import StoreData
from results.trial_rows import rates_text
from search_spaces.errors import MmptError
from search_spaces.missing_rates import INDEPENDENT, MissingRates
from search_spaces.modality import Pattern

__all__ = ["open_methods", "why_absent"]


def why_absent(data: StoreData, group: Group, pattern: Pattern) -> str:
    """Return why a group has no number for a pattern."""
    where = f"{data.title('method', group.method)} on {group.dataset}"
    open_trials = data.planned[_matches(data.planned, group)]
    of_pattern = open_trials[[pattern.key in reports.split(",") for reports in open_trials["reports"]]]
    if group in _finished(data) and of_pattern.empty:
        return f"{where}: none of its trials predicts from {' and '.join(pattern)}"
    failed = [one.error for one in data.failures.values() if _is_of(one.spec, group, _modalities(data, group))]
    if failed:
        return f"{where}: failed ({failed[0]})"
    planned = (open_trials if of_pattern.empty else of_pattern)["trial_id"]
    if len(planned):
        begun = len(data.begun.intersection(planned))
        running = f", {begun} of them begun" if begun else ""
        return f"{where}: {len(planned)} planned trial{'' if len(planned) == 1 else 's'} not finished{running}"
    others = data.trials[_matches(data.trials, group._replace(fingerprint=""))]["fingerprint"]
    if len(others):
        return f"{where}: finished only on other data ({', '.join(sorted({text[:8] for text in others}))})"
    return f"{where}: not planned"


def open_methods(data: StoreData, groups: Sequence[Group]) -> list[str]:
    """Return the methods of failed and of planned trials that would stand beside these groups, had they finished."""
    places = {group[:-1] for group in groups}
    found = {one.method for one in _groups(data.planned) if one[:-1] in places}
    for group in groups:
        for failure in data.failures.values():
            method = str(failure.spec.get("method"))
            if _is_of(failure.spec, group._replace(method=method), _modalities(data, group)):
                found.add(method)
    return sorted(found)


def _modalities(data: StoreData, group: Group) -> Sequence[str]:
    return data.samples[group.fingerprint].modalities


def _matches(rows: Any, group: Group) -> Any:
    """Tell which rows belong to a group; a field that is empty stands for any."""
    wanted = {name: value for name, value in group._asdict().items() if value}
    return (rows[list(wanted)] == list(wanted.values())).all(axis=1)


@lru_cache(maxsize=1)
def _finished(data: StoreData) -> set[Group]:
    return _groups(data.trials)


def _groups(rows: Any) -> set[Group]:
    return set(map(Group._make, rows[list(Group._fields)].drop_duplicates().itertuples(index=False)))


def _is_of(spec: Mapping[str, Any], group: Group, modalities: Sequence[str]) -> bool:
    """Tell whether a failed trial's spec belongs to a group; a spec that cannot be read belongs to none."""
    if any(spec.get(key) != getattr(group, key) for key in ("method", "dataset", "fusion")):
        return False
    try:
        rates = rates_text(MissingRates(spec["p_train"]), modalities)
        return (rates, spec.get("missing", INDEPENDENT)) == (group.p_train, group.missing)
    except (MmptError, KeyError, AttributeError):
        return False
