"""Best-Fusion (MMPT's figure 3): score against the test-time missing rate, beside each method and printed curves."""

from results.candidates import Group
from results.curves import curve, families
from results.data import StoreData
from results.drawing import Drawing
from results.layout import NO_COMPLETE_DATA, blocks_of_complete_data, column_title, dataset_title, split_of_selection
from results.lines import Line, lines_figure, method_lines, method_style
from results.options import Options
from results.published import PAPERS
from results.published_curves import PublishedCurve, published_curves
from results.systems import System, Systems, systems_of
from results.table import Nothing
from search_spaces.modality import Pattern, patterns

__all__ = ["build"]

_HIGHLIGHT = {"color": "0.72", "linewidth": 5.0, "solid_capstyle": "round", "zorder": 1}
"""Thick and behind the methods: where a method's line runs on it, the method is as good as Best-Fusion."""

_NOT_OURS = {"color": "k", "marker": "h"}


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set and fusion, from trials with p_train = 0."""
    systems = systems_of(data, options)
    drawings = [_drawing(systems, groups) for groups in blocks_of_complete_data(systems)]
    return drawings or Nothing(NO_COMPLETE_DATA)


def _drawing(systems: Systems, groups: list[Group]) -> Drawing:
    first, best, paper = groups[0], systems.best_fusion(groups), systems.options.compare
    modalities = systems.modalities(first)
    printed = _printed(systems, first)
    own = method_lines(systems, groups)
    panels = {
        family: [
            Line("Best-Fusion", curve(systems, best, rates), _HIGHLIGHT),
            *own[family],
            *(_printed_line(systems, each) for each in printed if each.family == family),
        ]
        for family, rates in families(modalities, systems.options.missing).items()
    }
    return lines_figure(
        systems,
        groups,
        panels,
        name=f"best_fusion_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Best-Fusion on {dataset_title(systems.data, first, systems.groups)}, {first.fusion} fusion",
        note=f"{_served(systems, best)}{_compared(paper, printed)}",
    )


def _printed(systems: Systems, group: Group) -> list[PublishedCurve]:
    """Return printed curves of the store's methods and of the paper's own: more would hide them."""
    paper, metric = systems.options.compare, systems.options.metric
    found = published_curves(paper, group, systems.modalities(group), metric) if paper else []
    return [each for each in found if each.method in {paper, *_methods(systems)}]


def _printed_line(systems: Systems, each: PublishedCurve) -> Line:
    """Draw it dotted, in the colour of the store's method of the same name, if there is one."""
    look = method_style(systems, each.method) if each.method in _methods(systems) else _NOT_OURS
    return Line(each.title, each.curve, {**look, "linestyle": ":", "markerfacecolor": "w"}, each.source)


def _methods(systems: Systems) -> set[str]:
    return {group.method for group in systems.groups}


def _served(systems: Systems, best: System) -> str:
    modalities = systems.modalities(best.group)
    members = {Pattern.from_key(key): systems.data.title("method", group.method) for key, group in best.members.items()}
    served = [f"{column_title(one, modalities)}: {members[one]}" for one in patterns(modalities) if one in members]
    return (
        "Best-Fusion serves what is available at test time by the method that does best with it on "
        f"{split_of_selection(systems.options)}: "
        f"{'; '.join(served)}. "
    )


def _compared(paper: str, printed: list[PublishedCurve]) -> str:
    if not paper:
        return ""
    if not printed:
        return f"No curve of this data set, fusion and metric is printed in {PAPERS[paper]}."
    sources = "; ".join(dict.fromkeys(each.source for each in printed))
    return (
        f"Dotted, without a band: as printed in {sources}, of models trained anew at each rate (p_train = p_test), "
        "while the others are trained on complete data. Shown are methods of this store and the paper's own."
    )
