"""Score against the test-time missing rate, one line per method and one panel per missing modality."""

from results.candidates import Group
from results.data import StoreData
from results.drawing import Drawing
from results.layout import NO_COMPLETE_DATA, blocks_of_complete_data, dataset_title
from results.lines import lines_figure, method_lines
from results.options import Options
from results.systems import Systems, systems_of
from results.table import Nothing

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set and fusion, from trials with p_train = 0."""
    systems = systems_of(data, options)
    drawings = [_drawing(systems, groups) for groups in blocks_of_complete_data(systems)]
    return drawings or Nothing(NO_COMPLETE_DATA)


def _drawing(systems: Systems, groups: list[Group]) -> Drawing:
    first = groups[0]
    return lines_figure(
        systems,
        groups,
        method_lines(systems, groups),
        name=f"p_test_curve_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Test-time missing rates on {dataset_title(systems.data, first, systems.groups)}, {first.fusion} fusion",
    )
