"""What tables and figures share: the order and names of rows and columns, and the words of captions."""

from collections.abc import Iterable, Mapping, Sequence

from results.candidates import Group
from results.data import StoreData
from results.metrics import metric_named
from results.missing_protocols import protocol_named
from results.options import Options
from results.rules import rule_named
from results.systems import Systems
from search_spaces.missing_rates import INDEPENDENT
from search_spaces.modality import Pattern, patterns

__all__ = [
    "NO_COMPLETE_DATA",
    "blocks_of_complete_data",
    "blocks_of_missing_data",
    "caption",
    "column_title",
    "dataset_title",
    "differing_seeds",
    "draws_sentence",
    "family_title",
    "fusions_of_complete_data",
    "interval_sentence",
    "methods_in_order",
    "profile_columns",
    "protocol_suffix",
    "split_of_selection",
]

NO_COMPLETE_DATA = "no finished trial with p_train = 0"
"""Why a table of training on complete data has nothing to show."""
_MOST_LISTED = 6  # curves that a caption names one by one
_FIRST = ("naive", "unimodal", "dropout", "mtl", "gblend", "ogm_ge", "umt")


def methods_in_order(methods: Iterable[str]) -> list[str]:
    """Sort methods in the order of MMPT's tables, then the others by name."""
    return sorted(set(methods), key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))


def blocks_of_complete_data(systems: Systems) -> list[list[Group]]:
    """Return the groups with p_train = 0, together those that one figure compares: of one data set and fusion."""
    found: dict[tuple[str, ...], list[Group]] = {}
    for group in systems.groups:
        if group.p_train == "0":
            found.setdefault(group[:3], []).append(group)
    return list(found.values())


def blocks_of_missing_data(systems: Systems) -> list[tuple[str, list[Group]]]:
    """Return (missing protocol, its groups of one data set and fusion): with p_train > 0, and with p_train = 0."""
    found = dict.fromkeys((group.missing, group[:3]) for group in systems.groups if group.p_train != "0")
    return [
        (
            missing,
            [one for one in systems.groups if one[:3] == place and (one.p_train == "0" or one.missing == missing)],
        )
        for missing, place in found
    ]


def protocol_suffix(missing: str) -> str:
    """Return what tells files of another than the default protocol apart."""
    return "" if missing == INDEPENDENT else f"_{missing}"


def fusions_of_complete_data(systems: Systems) -> list[list[Group]]:
    """Return the groups with p_train = 0, together those of one fusion; late fusion first, as the paper has them."""
    found: dict[str, list[Group]] = {}
    for group in sorted(systems.groups, key=lambda group: (group.fusion != "late", group.fusion)):
        if group.p_train == "0":
            found.setdefault(group.fusion, []).append(group)
    return list(found.values())


def dataset_title(data: StoreData, group: Group, groups: Iterable[Group]) -> str:
    """Return a data set's display name; with several versions of the data, each says which it is."""
    versions = {other.fingerprint for other in groups if other.dataset == group.dataset}
    title = data.title("dataset", group.dataset)
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


def caption(systems: Systems, groups: Sequence[Group], seeds: Iterable[int], *, what: str = "") -> str:
    """Return what every caption says: metric (or else `what` the numbers are), route, selection rule, seeds, data."""
    data, options = systems.data, systems.options
    rows = {group.fingerprint: group.dataset for group in groups}
    sizes = "; ".join(
        f"{dataset} {fingerprint[:8]} ({data.samples[fingerprint].count('test')} test samples)"
        for fingerprint, dataset in sorted(rows.items(), key=lambda item: (item[1], item[0]))
    )
    used = sorted(set(seeds))
    routes = {"probe": "fresh linear probes on frozen features", "head": "the method's own prediction"}
    fixed = "".join(f" {axis} = {value}." for axis, value in options.fixed)
    numbers = what or f"Test {metric_named(options.metric).title} in percent"
    return (
        f"{numbers}, route {options.route} ({routes[options.route]}). "
        f"Selection: {options.rule}. {rule_named(options.rule).sentence}{fixed} "
        f"Seeds: {', '.join(map(str, used)) or 'none'}. Data: {sizes}."
    )


def split_of_selection(options: Options) -> str:
    """Return which split decides what a table shows, for captions: validation, or what the oracle reads."""
    return "validation" if rule_named(options.rule).split == "val" else "THE TEST SET"


def draws_sentence(options: Options) -> str:
    """Return how scores at missing rates between 0 and 1 were computed."""
    protocol = protocol_named(options.missing)
    if protocol.averages_patterns:
        how = "Means over the patterns of what is absent, each on every sample."
    elif metric_named(options.metric).linear:
        how = "Exact expectations over the random absence of modalities."
    else:
        how = f"Mean of {options.num_draws} draws of the absent modalities."
    if options.missing == INDEPENDENT:
        return f"{how} A sample that would lose every modality keeps one."
    return f"{how} Missing protocol at test time: {options.missing}. {protocol.sentence}"


def interval_sentence(options: Options) -> str:
    """Return where a reader finds the confidence intervals; empty if there are none."""
    where = "95 % intervals (samples by bootstrap, seeds by their spread) are in the tooltips, the CSV and the JSON."
    return where if options.num_resamples else ""


def differing_seeds(seeds_of: Mapping[str, Sequence[int]]) -> str:
    """Return a caption's sentence on which of the named curves or rows lack some of the seeds; empty if none does.

    More than a reader wants to read are only counted.
    """
    every = {seed for seeds in seeds_of.values() for seed in seeds}
    fewer = [
        f"{name}: {', '.join(map(str, seeds))}" for name, seeds in seeds_of.items() if seeds and set(seeds) != every
    ]
    if len(fewer) > _MOST_LISTED:
        return f"With fewer seeds: {len(fewer)} of {len(seeds_of)}; the JSON file names the seeds of each. "
    return f"With fewer seeds: {'; '.join(fewer)}. " if fewer else ""
