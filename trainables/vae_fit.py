"""Training one autoencoder on pairs of frozen features, and serving with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from trainables.data import order_of_epoch
from trainables.training import TrialDivergedError
from trainables.vae import Standardisation, Vae, VaeSettings, negative_log_likelihood

__all__ = ["FittedVae", "fit_vae"]

_VAE, _MEASURED = "vae.", ("mean", "deviation")


@dataclass(frozen=True, kw_only=True)
class FittedVae:
    """A trained autoencoder on raw features.

    Attributes:
        vae: with the weights of its best epoch.
        available: standardisation of u.
        missing: standardisation of v.
        epoch: the best one.
        val_error: there, the mean of 1/2 ||v - v^||^2 over validation pairs, standardised, with h = mu.
    """

    vae: Vae
    available: Standardisation
    missing: Standardisation
    epoch: int
    val_error: float

    @torch.no_grad()
    def impute(self, features: Tensor) -> Tensor:
        """Map raw u (N, d_u) to raw v^ (N, d_v)."""
        return self.missing.back(self.vae(self.available.forth(features)))

    def tensors(self) -> dict[str, Tensor]:
        """Return all of it as named tensors, from which `of` makes it again."""
        weights = {f"{_VAE}{name}": tensor for name, tensor in self.vae.state_dict().items()}
        scales = {"available": self.available, "missing": self.missing}
        measured = {f"{name}.{what}": getattr(scale, what) for name, scale in scales.items() for what in _MEASURED}
        about = {"epoch": torch.tensor(self.epoch), "val_error": torch.tensor(self.val_error, dtype=torch.float64)}
        return {**weights, **measured, **about}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], settings: VaeSettings) -> Self:
        """Return what `tensors` was called on, on the device of the tensors; `settings` are those of its training."""
        available, missing = (
            Standardisation(*(tensors[f"{name}.{what}"] for what in _MEASURED)) for name in ("available", "missing")
        )
        vae = Vae(len(available.mean), len(missing.mean), settings).to(available.mean.device)
        vae.load_state_dict({name.removeprefix(_VAE): one for name, one in tensors.items() if name.startswith(_VAE)})
        epoch, val_error = int(tensors["epoch"]), float(tensors["val_error"])
        return cls(vae=vae, available=available, missing=missing, epoch=epoch, val_error=val_error)


def fit_vae(train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor], settings: VaeSettings, seed: int) -> FittedVae:
    """Train on pairs (u, v) of features, keeping the epoch with the smallest validation error.

    Weights and noise come from torch's generator, which the caller seeds.

    Args:
        train: (N, d_u) and (N, d_v), N > 0.
        val: (V, d_u) and (V, d_v), V > 0.
        settings: how.
        seed: of the sample order.
    """
    scale_u, scale_v = Standardisation.of(train[0]), Standardisation.of(train[1])
    u, v = scale_u.forth(train[0]), scale_v.forth(train[1])
    val_u, val_v = scale_u.forth(val[0]), scale_v.forth(val[1])
    vae = Vae(u.shape[1], v.shape[1], settings).to(u.device)
    optimizer = torch.optim.Adam(vae.parameters(), lr=settings.learning_rate, fused=True)
    best, best_epoch, best_error = vae.state_dict(), 0, float("inf")
    for epoch in range(1, settings.epochs + 1):
        order = torch.from_numpy(order_of_epoch(len(u), seed, epoch)).to(u.device)
        for rows in torch.split(order, settings.batch_size):
            optimizer.zero_grad(set_to_none=True)
            noise = torch.randn(len(rows), settings.latent).to(u.device)
            vae.loss(u[rows], v[rows], noise, settings.kl_weight).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            error = float(negative_log_likelihood(val_v, vae(val_u)).mean())
        if error < best_error:
            best, best_epoch, best_error = {k: w.clone() for k, w in vae.state_dict().items()}, epoch, error
        if epoch - best_epoch >= settings.patience:
            break
    if best_epoch == 0:
        raise TrialDivergedError("the autoencoder's validation error was never finite; try another latent or kl_weight")
    vae.load_state_dict(best)
    return FittedVae(vae=vae, available=scale_u, missing=scale_v, epoch=best_epoch, val_error=best_error)
