import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import toys

from orchestrator.sweep import Sweep
from results.metrics import score
from results.schema import LogitsKey
from results.store import Store
from search_spaces import TrialSpec
from search_spaces.errors import InvalidValueError, UnknownNameError
from trainables.api import RawData
from trainables.candidates import candidate_specs
from trainables.imputation import completed
from trainables.resolve import resolve
from trainables.vae import Standardisation, Vae, VaeSettings, kl_divergence, negative_log_likelihood
from trainables.vae_fit import FittedVae, fit_vae

GOLDEN = Path(__file__).parent.parent / "golden" / "vae_imputation.json"
TOLERANCE = {"rtol": 1e-9, "atol": 1e-12}
FULL = "left-right"


def tensor(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def golden_vae() -> tuple[Vae, dict[str, torch.Tensor]]:
    case = json.loads(GOLDEN.read_text())
    vae = Vae(4, 3, VaeSettings(latent=2, hidden=())).double()
    encoder, decoder = case["encoder"], case["decoder"]
    vae.load_state_dict(
        {
            "encoder.0.weight": tensor(encoder["W_mu"] + encoder["W_logvar"]),
            "encoder.0.bias": tensor(encoder["b_mu"] + encoder["b_logvar"]),
            "decoder.0.weight": tensor(decoder["W"]),
            "decoder.0.bias": tensor(decoder["b"]),
        }
    )
    return vae, {name: tensor(values) for name, values in case.items() if isinstance(values, list | float)}


def test_the_autoencoder_against_golden_numbers() -> None:
    vae, case = golden_vae()
    u, v, eps = case["x_available"], case["x_missing_target"], case["eps"]
    mean, log_variance = vae.posterior(u)
    torch.testing.assert_close(mean, case["mu"], **TOLERANCE)
    torch.testing.assert_close(log_variance, case["logvar"], **TOLERANCE)
    torch.testing.assert_close(kl_divergence(mean, log_variance), case["kl_per_sample"], **TOLERANCE)
    reconstruction = vae.decoder(case["z"])
    torch.testing.assert_close(reconstruction, case["reconstruction"], **TOLERANCE)
    errors = negative_log_likelihood(v, reconstruction)
    torch.testing.assert_close(errors, case["nll_per_sample_without_constant"], **TOLERANCE)
    constant = v.shape[1] / 2 * np.log(2 * np.pi)
    torch.testing.assert_close(errors + constant, case["nll_per_sample_with_constant"], **TOLERANCE)
    torch.testing.assert_close(vae.loss(u, v, eps), case["loss_mean_without_constant"], **TOLERANCE)
    torch.testing.assert_close(vae(u), case["imputation_at_test_(z=mu)"], **TOLERANCE)


def test_both_terms_are_sums_over_features() -> None:
    ones = torch.ones(2, 6)
    torch.testing.assert_close(negative_log_likelihood(ones, -ones), torch.full((2,), 12.0))
    torch.testing.assert_close(kl_divergence(ones, torch.zeros(2, 6)), torch.full((2,), 3.0))


def test_standardisation_is_undone_and_constant_features_survive() -> None:
    features = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 50.0, 0.0]) + 4
    scale = Standardisation.of(features)
    standardised = scale.forth(features)
    torch.testing.assert_close(standardised[:, :2].std(dim=0, correction=0), torch.ones(2))
    torch.testing.assert_close(standardised[:, 2], torch.zeros(50))
    torch.testing.assert_close(scale.back(standardised), features)


def test_it_makes_up_what_is_determined_on_the_scale_of_the_features() -> None:
    generator = torch.Generator().manual_seed(0)
    u = torch.randn(600, 4, generator=generator)
    v = 30.0 * u[:, :2].flip(1) + 100.0
    torch.manual_seed(0)
    settings = VaeSettings(latent=8, hidden=(64,), epochs=150, kl_weight=0.01)
    fitted = fit_vae((u[:400], v[:400]), (u[400:500], v[400:500]), settings, seed=0)
    error = (fitted.impute(u[500:]) - v[500:]).square().mean()
    assert error < 0.1 * v.var()


def test_each_imputed_modality_keeps_its_place() -> None:
    """`middle` is available; the other two are made up in one piece and must not change places."""

    class Fixed(Vae):
        def forward(self, available: torch.Tensor) -> torch.Tensor:
            return torch.tensor([1.0, 1.0, 2.0]).expand(len(available), 3)

    unit = Standardisation(torch.zeros(()), torch.ones(()))
    imputer = FittedVae(vae=Fixed(1, 3, VaeSettings()), available=unit, missing=unit, epoch=1, val_error=0.0)
    features = completed({"middle": torch.zeros(5, 1)}, {"right": 1, "middle": 1, "left": 2}, imputer)
    torch.testing.assert_close(features["left"], torch.ones(5, 2))
    torch.testing.assert_close(features["right"], torch.full((5, 1), 2.0))


class ToyTwins(toys.ToyPair):
    """Four classes told by either modality: `right` is a rotation of `left`, so each determines the other."""

    def load(self) -> RawData:
        generator = np.random.default_rng(7)
        targets = generator.integers(0, 4, 280)
        left = generator.normal(size=(4, toys.WIDTH))[targets] * 2 + generator.normal(size=(280, toys.WIDTH))
        rotation = np.linalg.qr(generator.normal(size=(toys.WIDTH, toys.WIDTH)))[0]
        inputs = {"left": left.astype(np.float32), "right": (left @ rotation).astype(np.float32)}
        return replace(super().load(), targets=targets, inputs=inputs)


def spec(dataset: str = "toy_twins", **params: str | float) -> TrialSpec:
    return toys.spec("vae_imputation", dataset, method_params=params, epochs=4, learning_rate=0.01)


def finished(store: Store, cache: Path, *specs: TrialSpec) -> None:
    sweep = Sweep(list(specs), store=store.root, tracking="none", cache=cache, datasets=[ToyTwins])
    assert not sweep.run(inline=True).failed


def score_of(store: Store, trial: TrialSpec, pattern: str, split: str = "test") -> float:
    resolved = resolve(trial)
    logits = store.read_trial(resolved.trial_id).logits[LogitsKey("probe", pattern, split)]
    return score(logits, store.read_samples(resolved.fingerprint).split(split)[1])


def test_where_one_modality_determines_the_other_it_nearly_replaces_it(store: Store, cache: Path) -> None:
    finished(store, cache, spec())
    full = score_of(store, spec(), FULL)
    assert full > 0.8
    for pattern in ("left", "right"):
        assert score_of(store, spec(), pattern) > full - 0.1
    naive = spec().replace(method="naive", method_params={})
    assert full == score_of(store, naive, FULL), "the full pattern is the source's own"


def test_the_best_candidate_is_chosen_on_validation(store: Store, cache: Path) -> None:
    best = spec(source="best", candidates="naive,dropout,mtl:weight=2")
    finished(store, cache, best)
    required = resolve(best).requirements()
    assert set(required) == {"naive", "dropout:modality=left", "dropout:modality=right", "mtl:weight=2.0"}
    scores = {name: score_of(store, trial, FULL, "val") for name, trial in required.items()}
    history = store.read_trial(resolve(best).trial_id).history.set_index("name")["value"]
    assert {name: history[f"required/{name}/val_score"] for name in required} == scores
    assert score_of(store, best, FULL, "val") == max(scores.values())


def test_probes_on_imputed_pairs_are_a_trial_of_their_own(store: Store, cache: Path) -> None:
    real, imputed = spec("toy_pair"), spec("toy_pair", probe="imputed")
    finished(store, cache, real, imputed)
    first, second = (store.read_trial(resolve(trial).trial_id).logits for trial in (real, imputed))
    np.testing.assert_array_equal(first[LogitsKey("probe", FULL, "test")], second[LogitsKey("probe", FULL, "test")])
    assert not np.allclose(first[LogitsKey("probe", "left", "test")], second[LogitsKey("probe", "left", "test")])


def test_candidates_that_cannot_be() -> None:
    for candidates, error in (
        ("naive,mtk", UnknownNameError),
        ("mtl:wieght=1", UnknownNameError),
        ("mtl:weight", InvalidValueError),
        ("unimodal", InvalidValueError),
    ):
        with pytest.raises(error):
            candidate_specs(spec(), candidates, ("left", "right"))
