"""What the testbed is about, on data where it must show: a weak encoder neglected by joint training, and repaired."""

from pathlib import Path

import pytest

from orchestrator.sweep import Sweep
from results.metrics import score
from results.schema import LogitsKey
from results.store import Store
from results.weakness import probe_train_losses, weakness_scores
from search_spaces import TrialSpec
from trainables.resolve import resolve

DATA = {"shared": 8, "a": 1, "b": 1, "amplitude_a": 1.0, "amplitude_b": 1.0}


@pytest.mark.parametrize(("strong", "weak"), ["ab", "ba"])
def test_the_weak_encoder_is_neglected_and_mtl_repairs_it(strong: str, weak: str, store: Store, cache: Path) -> None:
    naive = TrialSpec(
        dataset="pid_synth", dataset_params={**DATA, "hidden": weak}, method="naive", schedule="constant", patience=0
    )
    mtl = naive.replace(method="mtl")
    expert = naive.replace(method="unimodal", method_params={"modality": weak})
    assert not Sweep([naive, mtl, expert], store=store.root, tracking="none", cache=cache).run(inline=True).failed
    targets = store.read_samples(resolve(naive).fingerprint).split("test")[1]
    records = [store.read_trial(resolve(spec).trial_id) for spec in (naive, mtl, expert)]
    of_naive, of_mtl, of_expert = (score(one.logits[LogitsKey("probe", weak, "test")], targets) for one in records)
    assert of_naive < of_expert - 0.1
    assert of_mtl - of_naive > 0.5 * (of_expert - of_naive)
    weakness = weakness_scores(probe_train_losses(records[0]))
    assert weakness[strong].score < 1 < weakness[weak].score
