"""What tables and figures share: the order and names of rows and columns, and the words of captions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from results.curves import Options
from results.frame import StoreData, rates_text
from results.metrics import metric_named
from results.render import Cell
from results.selection import Group, rule_named
from search_spaces.errors import MmptError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern, patterns

__all__ = [
    "caption",
    "column_title",
    "dataset_title",
    "differing_seeds",
    "failed_methods",
    "family_title",
    "fusions",
    "method_title",
    "methods_in_order",
    "profile_columns",
    "why_empty",
]

_FIRST = ("naive", "unimodal")


def methods_in_order(methods: Iterable[str]) -> list[str]:
    """Sort methods as in MMPT's tables: naive, unimodal, then the others by name."""
    return sorted(set(methods), key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))


def fusions(groups: Iterable[Group]) -> list[str]:
    """Return the fusions there are, sorted."""
    return sorted({group.fusion for group in groups})


def _title(data: StoreData, kind: str, key: str) -> str:
    for record in data.headers.values():
        if getattr(record.spec, kind) == key:
            return str(record.facts.get("titles", {}).get(kind, key))
    return key


def method_title(data: StoreData, method: str) -> str:
    """Return a method's display name as its trials have stored it, else its key."""
    return _title(data, "method", method)


def dataset_title(data: StoreData, group: Group, groups: Iterable[Group]) -> str:
    """Return a data set's display name; with several versions of the data, each says which it is."""
    versions = {other.fingerprint for other in groups if other.dataset == group.dataset}
    title = _title(data, "dataset", group.dataset)
    return f"{title} [{group.fingerprint[:8]}]" if len(versions) > 1 else title


def profile_columns(modalities: Sequence[str]) -> list[Pattern]:
    """Return MMPT's columns: everything available, then each modality alone."""
    every = patterns(modalities)
    return list(dict.fromkeys([every[0], *(pattern for pattern in every if len(pattern) == 1)]))


def column_title(pattern: Pattern, modalities: Sequence[str]) -> str:
    """Return a column's name: Both (All with three or more), else the modalities that are available."""
    if len(pattern) == len(modalities) > 1:
        return "Both" if len(modalities) == len(("first", "second")) else "All"
    return " + ".join(name.replace("_", " ").capitalize() for name in pattern)


def family_title(family: str) -> str:
    """Return what goes missing: a modality, or any modality, all at the same rate."""
    return "any (one rate)" if family == "all" else family.replace("_", " ")


def caption(data: StoreData, options: Options, groups: Sequence[Group], seeds: Iterable[int]) -> str:
    """Return what every caption says: metric, route, selection rule, seeds, data."""
    rows = {group.fingerprint: group.dataset for group in groups}
    sizes = "; ".join(
        f"{dataset} {fingerprint[:8]} ({len(data.samples[fingerprint].split('test')[0])} test samples)"
        for fingerprint, dataset in sorted(rows.items(), key=lambda item: (item[1], item[0]))
    )
    used = sorted(set(seeds))
    routes = {"probe": "fresh linear probes on frozen features", "head": "the method's own prediction"}
    return (
        f"Test {metric_named(options.metric).title} in percent, route {options.route} ({routes[options.route]}). "
        f"Selection: {options.rule}. {rule_named(options.rule).sentence} "
        f"Seeds: {', '.join(map(str, used)) or 'none'}. Data: {sizes}."
    )


def differing_seeds(seeds_of: Mapping[str, Sequence[int]]) -> str:
    """Return a caption's sentence on which of the named curves or rows lack some of the seeds; empty if none does."""
    every = {seed for seeds in seeds_of.values() for seed in seeds}
    fewer = [
        f"{name}: {', '.join(map(str, seeds))}" for name, seeds in seeds_of.items() if seeds and set(seeds) != every
    ]
    return f"With fewer seeds: {'; '.join(fewer)}. " if fewer else ""


def why_empty(data: StoreData, group: Group, pattern: Pattern) -> Cell:
    """Return the empty cell of a method in a column, with the reason: no such logits, failed, or never run."""
    where = f"{method_title(data, group.method)} on {group.dataset}"
    finished = [
        record
        for record in data.headers.values()
        if (record.spec.method, record.spec.dataset, record.spec.fusion) == (group.method, group.dataset, group.fusion)
        and record.facts["fingerprint"] == group.fingerprint
        and rates_text(record.spec.p_train, record.facts["modalities"]) == group.p_train
    ]
    if finished:
        return Cell(reason=f"{where}: none of its trials predicts from {' and '.join(pattern)}")
    for failure in data.failures.values():
        if _is_of(failure.spec, group, data.samples[group.fingerprint].modalities):
            return Cell(reason=f"{where}: failed ({failure.error})")
    return Cell(reason=f"{where}: no finished trial in the store")


def failed_methods(data: StoreData, groups: Sequence[Group]) -> list[str]:
    """Return the methods of failed trials that would stand beside these groups, had they succeeded."""
    specs = [failure.spec for failure in data.failures.values()]
    beside = [(group, data.samples[group.fingerprint].modalities) for group in groups]
    found = {
        str(spec["method"])
        for spec in specs
        for group, modalities in beside
        if "method" in spec and _is_of(spec, group._replace(method=str(spec["method"])), modalities)
    }
    return sorted(found)


def _is_of(spec: Mapping[str, Any], group: Group, modalities: Sequence[str]) -> bool:
    """Tell whether a failed trial's spec belongs to a group; a spec that cannot be read belongs to none."""
    if any(spec.get(key) != getattr(group, key) for key in ("method", "dataset", "fusion")):
        return False
    try:
        return rates_text(MissingRates(spec["p_train"]), modalities) == group.p_train
    except (MmptError, KeyError, AttributeError):
        return False
