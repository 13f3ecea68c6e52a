"""A metric, a table and a figure of your own, in one file, on trials that are there already.

Run it with `python examples/own_table.py [store] [folder for the report]`.
"""

import sys

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from results import METRICS, build_table, frame_figure, frame_table, write_report
from results.counts import Counts, Doubles, Metric, ratio
from results.figures import FIGURES
from results.render import to_markdown
from results.tables import TABLES


def balanced_accuracy(counts: Counts) -> Doubles:
    """Mean recall of the classes that have samples; every count may have leading axes."""
    recalls = ratio(counts.true_positive, counts.actual)
    return ratio(np.asarray(recalls.sum(axis=-1)), np.asarray((counts.actual > 0).sum(axis=-1)))


def validation_gap(frame: pd.DataFrame) -> pd.DataFrame:
    """How much better methods look on validation than on test: mean over all their trials."""
    reported = frame[frame["reported"]]
    keys = ["dataset", "fingerprint", "method"]
    means = reported.pivot_table(index=keys, columns=["split", "label"], values="value")
    gap = means["val"] - means["test"]
    gap.index = [f"{method} on {dataset} {fingerprint[:8]}" for dataset, fingerprint, method in gap.index]
    return gap


def validation_against_test(frame: pd.DataFrame) -> Figure:
    """One point per trial and pattern."""
    figure = Figure(figsize=(4, 4), layout="constrained")
    panel = figure.subplots()
    keys = ["method", "trial_id", "pattern"]
    for method, own in frame.pivot_table(index=keys, columns="split", values="value").groupby("method"):
        panel.scatter(own["val"], own["test"], s=12, label=str(method))
    panel.set(xlabel="validation", ylabel="test")
    panel.axline((0, 0), slope=1, color="grey", linewidth=0.8)
    panel.legend()
    return figure


METRICS.add(Metric("balanced accuracy", balanced_accuracy), "balanced_accuracy")
GAP_TABLE = frame_table(
    validation_gap,
    title="Validation minus test",
    caption="Points by which a method's trials score higher on validation than on test, mean over its trials.",
)
POINTS_FIGURE = frame_figure(
    validation_against_test, title="Validation against test", caption="One point per trial and set of modalities."
)


def main(store: str = "mmpt-store", out: str = "mmpt-report") -> None:
    """Print the table and write a report of both, in the new metric."""
    TABLES.add(GAP_TABLE, "validation_gap")
    FIGURES.add(POINTS_FIGURE, "validation_against_test")
    for table in build_table(store, "validation_gap", metric="balanced_accuracy"):
        print(to_markdown(table))
    page = write_report(
        store, out, tables=["validation_gap"], figures=["validation_against_test"], metric="balanced_accuracy"
    )
    print(f"report: {page}")


if __name__ == "__main__":
    main(*sys.argv[1:])
