"""The one trial that a rule puts first, and what must not be compared."""

import made_up
import pytest

from results.data import StoreData, load
from results.options import Options
from results.store import Store
from results.winner import winner
from search_spaces.errors import InvalidValueError, UnknownNameError


@pytest.fixture
def data(store: Store) -> StoreData:
    made_up.fill(store, made_up.make_samples())
    return load(store)


def complete(data: StoreData) -> dict[str, str]:
    """How the store spells p_train = 0."""
    return {"p_train": min(data.trials["p_train"], key=len)}


def test_the_best_method_then_its_best_seed(data: StoreData) -> None:
    best = winner(data, Options(), complete(data))
    scores = data.scores("val", "probe", "macro_f1")
    scores = scores[(scores["pattern"] == "audio-image") & scores["trial_id"].isin(data.trials.index)]
    means = scores.merge(data.trials.reset_index(drop=True), on="trial_id").groupby("config")["value"].mean()
    assert best.mean == pytest.approx(means.max())
    own = data.trials[data.trials["config"] == means.idxmax()]["trial_id"]
    assert best.score == scores[scores["trial_id"].isin(own)]["value"].max()
    assert (best.pattern, best.seeds) == ("audio-image", 2)


def test_conditions_and_patterns_narrow_the_choice(data: StoreData) -> None:
    chosen = winner(data, Options(), {**complete(data), "method": "naive"}, "image")
    assert (chosen.group.method, chosen.pattern) == ("naive", "image")
    assert winner(data, Options(), {"p_train": "audio:0.3"}).group.method == "naive"
    assert winner(data, Options(), complete(data), "only_audio").group.method == "unimodal"


def test_what_cannot_be_compared_is_refused(data: StoreData) -> None:
    with pytest.raises(InvalidValueError, match=r"p_train of the trials .* one, as in --where p_train="):
        winner(data, Options())
    with pytest.raises(UnknownNameError, match="unknown method 'mlt'; did you mean 'mtl'"):
        winner(data, Options(), {"method": "mlt"})
    with pytest.raises(UnknownNameError, match="unknown field to choose by 'metod'; did you mean 'method'"):
        winner(data, Options(), {"metod": "mtl"})
    with pytest.raises(UnknownNameError, match="unknown pattern 'text'"):
        winner(data, Options(), complete(data), "text")
