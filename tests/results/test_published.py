"""The papers' numbers: whole, plausible, and shown by the code that shows a user's own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from results.data import StoreData, load
from results.options import Options
from results.published import COLUMNS, PAPERS, misprints, published
from results.published_source import PublishedSource, as_data
from results.selection import Picks, select
from results.store import Store
from results.weakness import weakness_scores
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "mmpt_tables.json").read_text(encoding="utf-8"))
PROFILES = (1, 2, 3)  # table 4's imputation came after them and takes no part in what they compare
PLACES = [(fusion, dataset) for fusion in ("late", "early") for dataset in range(6)]


@pytest.fixture(scope="module")
def mmpt() -> StoreData:
    return as_data("mmpt", PROFILES)


@pytest.fixture(scope="module")
def picks(mmpt: StoreData) -> Picks:
    return select(mmpt, Options())


def scores(data: StoreData, picks: Picks, fusion: str, title: str, number: int) -> dict[str, tuple[float, str]]:
    """Method -> its score and trial in the column `number`: both, text or audio, image."""
    found = {}
    for (group, pattern), pick in picks.items():
        if (group.fusion, data.title("dataset", group.dataset)) == (fusion, title):
            modalities = Pattern.from_key(pattern)
            column = 0 if len(modalities) > 1 else 2 if pattern == "image" else 1
            if column == number:
                (trial_id,) = pick.trial_ids
                value = data.test_score(trial_id, pattern, metric="macro_f1", route="probe")
                found[data.title("method", group.method)] = (value, trial_id)
    return found


@pytest.mark.parametrize(
    ("paper", "tables"),
    [
        ("mmpt", {1: 120, 2: 120, 3: 36, 4: 12}),
        ("mla", {1: 128, 2: 84, 3: 52, 4: 6}),
        ("u2a", {1: 22, 2: 26, 3: 60, 4: 54, 6: 90}),
    ],
)
def test_every_printed_number_is_there_once(paper: str, tables: dict[int, int]) -> None:
    rows = published(paper)
    assert tuple(rows.columns) == COLUMNS
    assert rows["table"].value_counts().to_dict() == tables
    assert not rows.duplicated(list(COLUMNS[:-2])).any()
    assert set(rows["paper"]) == {paper}


@pytest.mark.parametrize("paper", PAPERS)
def test_values_are_plausible(paper: str) -> None:
    rows = published(paper)
    improvement = rows["metric"] == "macro_f1_improvement"
    weakness = rows["metric"] == "weakness_score"
    assert rows.loc[improvement, "value"].between(-0.01, 0.3).all()
    assert rows.loc[weakness, "value"].between(0.1, 2).all()
    assert rows.loc[~improvement & ~weakness, "value"].between(0.03, 0.97).all()
    assert rows["spread"].dropna().between(0.0004, 0.013).all()


@pytest.mark.parametrize("paper", PAPERS)
def test_a_place_says_what_was_available_in_one_way(paper: str) -> None:
    rows = published(paper)
    assert ((rows["available"] == "") != (rows["p_test"] == "")).all()
    texts = {*rows["train"], *rows["p_test"]} - {"complete", ""}
    assert texts == {str(MissingRates.parse(text)) for text in texts}


def test_spreads_are_those_that_are_printed() -> None:
    tables = {paper: published(paper).dropna(subset="spread")["table"].value_counts().to_dict() for paper in PAPERS}
    assert tables == {"mmpt": {}, "mla": {1: 128, 2: 84, 4: 6}, "u2a": {3: 6, 6: 18}}


def test_an_unknown_paper_is_an_error_that_names_the_known_ones() -> None:
    for ask in (published, misprints, as_data):
        with pytest.raises(UnknownNameError, match=r"did you mean 'mmpt'.*mla, mmpt, u2a"):
            ask("mmtp")


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(InvalidValueError, match=r"\[5\].*some of \[1, 2, 3, 4\]"):
        as_data("mmpt", [5])


@pytest.mark.parametrize(("fusion", "number"), PLACES)
def test_the_numbers_are_those_of_the_tables(mmpt: StoreData, picks: Picks, fusion: str, number: int) -> None:
    for column in range(3):
        found = scores(mmpt, picks, fusion, GOLDEN["datasets"][number], column)
        printed = {method: rows[number][column] for method, rows in GOLDEN[fusion].items()}
        expected = {method: value / 100 for method, value in printed.items() if value is not None}
        assert {method: value for method, (value, _) in found.items()} == pytest.approx(expected, abs=1e-9)


def test_improvements_follow_from_the_scores_but_for_the_one_misprint(mmpt: StoreData, picks: Picks) -> None:
    differing, agreeing = [], 0
    for fusion, number in PLACES:
        golden = GOLDEN["derived"][fusion][number]
        for column, name in ((1, "m1"), (2, "image")):
            found = scores(mmpt, picks, fusion, golden["dataset"], column)
            values = {method: value for method, (value, _) in found.items()}
            naive = values.pop("Naive")
            improvement = 100 * (max(values.values()) - naive)
            assert improvement == pytest.approx(golden[f"{name}_improvement"], abs=1e-9)
            if improvement == pytest.approx(golden[f"printed_{name}"], abs=1e-9):
                agreeing += 1
            else:
                differing.append((fusion, golden["dataset"], name, golden[f"printed_{name}"] / 100, improvement / 100))
    listed = next(each for each in misprints("mmpt") if each.table == 3)
    assert agreeing == 23
    assert listed.where == "crisis_mmd, late, best_minus_naive, text, macro_f1_improvement"
    assert [each[:3] for each in differing] == [("late", "Crisis-MMD", "m1")]
    assert differing[0][3:] == pytest.approx((listed.printed, listed.recomputed), abs=1e-9)


@pytest.mark.parametrize(("fusion", "number"), PLACES)
def test_the_best_model_per_task(mmpt: StoreData, picks: Picks, fusion: str, number: int) -> None:
    golden = GOLDEN["derived"][fusion][number]
    for column, name in enumerate(("both", "m1", "image")):
        found = scores(mmpt, picks, fusion, golden["dataset"], column)
        costs = mmpt.facts([trial_id for _, trial_id in found.values()])
        best = min(found, key=lambda method: (-found[method][0], costs[found[method][1]]["seconds/total"]))
        assert best == golden["best_fusion"][name]


@pytest.mark.parametrize(("fusion", "number"), PLACES)
def test_weakness_scores_are_the_printed_ones(mmpt: StoreData, fusion: str, number: int) -> None:
    golden = GOLDEN["derived"][fusion][number]
    rows = mmpt.trials[(mmpt.trials["method"] == "naive") & (mmpt.trials["fusion"] == fusion)]
    (trial_id,) = rows[rows["titles"].str.contains(f'"{golden["dataset"]}"')]["trial_id"]
    facts = mmpt.facts([trial_id])[trial_id]
    losses = {name.split("/")[1]: value for name, value in facts.items() if name.startswith("probe/")}
    (other,) = set(losses) - {"image"}
    assert weakness_scores(losses)[other].score == golden["printed_weakness"]


def test_imputation_is_a_method_with_its_source_as_an_axis() -> None:
    data = as_data("mmpt", [4])
    axes = {trial_id: data.axes[trial_id] for trial_id in data.trials.index}
    assert axes["mmpt-4-late-vae_imputation-best-mm_imdb"]["method.source"] == "best"
    assert axes["mmpt-4-early-unimodal-image-mm_imdb"]["method.modality"] == "image"
    chosen = select(data, Options())
    printed = {
        (group.fusion, group.p_train, group.method, key): pick.validation for (group, key), pick in chosen.items()
    }
    assert printed["late", "0", "unimodal", "text"] == pytest.approx(0.611, abs=1e-9)
    assert printed["late", "0", "vae_imputation", "image"] == pytest.approx(0.384, abs=1e-9)


@pytest.mark.parametrize(("paper", "route"), [("mmpt", "probe"), ("mla", "head"), ("u2a", "head")])
def test_trials_are_readable_and_say_what_they_report(paper: str, route: str) -> None:
    data = as_data(paper)
    assert all(trial_id.startswith(f"{paper}-") for trial_id in data.trials.index)
    assert set(data.trials["p_train"]) == {"0"}
    reported = {(trial_id, key) for trial_id, keys in data.trials["reports"].items() for key in str(keys).split(",")}
    for split in ("val", "test"):
        rows = data.scores(split)
        assert set(rows["route"]) == {route}
        assert set(zip(rows["trial_id"], rows["pattern"], strict=True)) == reported
    assert data.scores("test", "head" if route == "probe" else "probe").empty
    assert data.scores("train").empty
    for fingerprint, samples in data.samples.items():
        assert samples.fingerprint == fingerprint
        assert samples.split("test")[0] == []


def test_where_a_model_is_printed_twice_the_first_table_counts() -> None:
    data = as_data("mla")
    value = data.test_score("mla-1-late-mla-kinetics_sounds", "audio", metric="accuracy", route="head")
    assert value == pytest.approx(0.5467, abs=1e-9)
    assert json.loads(str(data.trials.loc["mla-1-late-mla-kinetics_sounds", "provenance"]))["tables"] == [1]


def test_misprints_are_what_the_papers_print_and_do_not_agree_with() -> None:
    assert {paper: len(misprints(paper)) for paper in PAPERS} == {"mmpt": 2, "mla": 3, "u2a": 12}
    for paper in PAPERS:
        values = set(zip(published(paper)["table"], published(paper)["value"], strict=True))
        assert all((each.table, each.printed) in values for each in misprints(paper))
    assert [each.where for each in misprints("mla") if each.printed == each.recomputed] == [
        "crema_d, late, mla_no_hgm_no_df, all, accuracy"
    ]


def test_the_two_tables_of_u2a_disagree_exactly_where_that_is_listed() -> None:
    rows = published("u2a")
    rows = rows[rows["train"] == rows["p_test"]]
    keys = ["dataset", "method", "p_test"]
    first = rows[rows["table"] == 3].replace({"method": {"map_input": "map"}})
    both = first.merge(rows[rows["table"] == 6], on=keys, suffixes=("_3", "_6"))
    assert len(both) == 30
    differing = both[both["value_3"] != both["value_6"]]
    found = sorted((row.value_3, row.value_6) for row in differing.itertuples())
    listed = [(each.printed, each.recomputed)[:: 1 if each.table == 3 else -1] for each in misprints("u2a")]
    assert found == sorted(listed)
    assert set(differing["method"]) == {"vilt", "map"}


def test_mla_without_hgm_is_late_fusion_in_every_column() -> None:
    rows = published("mla")
    ours = rows[(rows["table"] == 3) & rows["method"].isin(["mla_no_hgm_no_df", "mla_no_hgm"])]
    ours = ours[(ours["method"] == "mla_no_hgm_no_df") | (ours["available"] != "all")]
    late = rows[(rows["table"] == 1) & (rows["method"] == "late_fusion")]
    both = ours.merge(late, on=["dataset", "available"], suffixes=("", "_late"))
    assert len(both) == len(ours) == 21
    assert both["value"].tolist() == both["value_late"].tolist()
    assert both["dataset"].nunique() == 5


def test_papers_have_no_logits() -> None:
    with pytest.raises(MmptError, match="prints scores and no logits"):
        as_data("mmpt").record("mmpt-1-late-naive-mm_imdb")


def test_no_store_has_a_published_number(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.prepare()
    assert load(store).trials.empty
    assert not set(PublishedSource("mmpt").trials["trial_id"]) & set(store.trial_ids())
    modules = "results.data, results.store, results.selection"
    code = f"import sys, {modules}; print([name for name in sys.modules if 'published_source' in name])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
