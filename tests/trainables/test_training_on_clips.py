"""Sets of sound and sight train in both fusions, with small random versions of the papers' networks."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from results.store import Store
from search_spaces import TrialSpec
from trainables.dataset_identity import open_dataset
from trainables.prepared import prepare
from trainables.preparing.building import BuildOptions
from trainables.resolve import Resolved, resolve
from trainables.task import TrialTask
from trainables.trial import Trial

LATE = {"audio": "ast_tiny"}
EARLY = {"joint": "tvlt_tiny"}
SEEN = {"av_mnist": "image", "crema_d": "video", "kinetics_sounds": "video", "ave": "video"}


@pytest.mark.parametrize("fusion", ["late", "early"])
@pytest.mark.parametrize("key", list(SEEN))
def test_a_trial_ends_with_logits_for_every_sample(
    key: str, fusion: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = import_module(f"raw_{key}")
    raw.make_raw(tmp_path / key)
    monkeypatch.setenv("MMPT_DATA", str(tmp_path))
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    encoders = {**LATE, SEEN[key]: "vit_tiny"} if fusion == "late" else EARLY
    spec = TrialSpec(
        dataset=key, method="naive", fusion=fusion, encoders=encoders, dataset_params=raw.PARAMS, epochs=1, patience=0
    )
    resolved = resolve(spec)
    _accept_what_is_missing(resolved, tmp_path / "cache")
    made = TrialTask(
        trial_id=resolved.trial_id, spec=resolved.spec.to_config(), store=store.root, cache=str(tmp_path / "cache")
    )
    for _ in Trial(made).epochs():
        pass
    record = store.read_trial(made.trial_id)
    assert record.logits
    assert all(np.isfinite(logits).all() for logits in record.logits.values())
    assert {len(logits) for name, logits in record.logits.items() if name.split == "test"} == {raw.SIZES["test"]}


def _accept_what_is_missing(resolved: Resolved, cache: Path) -> None:
    dataset, fingerprint = open_dataset(resolved.spec)
    prepare(dataset, fingerprint, cache, BuildOptions(max_missing=1.0))
