"""A variational autoencoder from the features that are there to those that are missing (MMPT section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["Standardisation", "Vae", "VaeSettings", "kl_divergence", "negative_log_likelihood"]

_SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True, kw_only=True)
class VaeSettings:
    """How one autoencoder is trained; MMPT does not say, these are ours.

    Attributes:
        latent: width k of the latent variable.
        kl_weight: what multiplies the divergence.
        learning_rate: of Adam.
        batch_size: samples per step.
        epochs: most passes over the training pairs.
        patience: epochs without a smaller validation error before training stops.
        hidden: widths of the hidden layers, of the encoder and of the decoder.
    """

    latent: int = 64
    kl_weight: float = 1.0
    learning_rate: float = 1e-3
    batch_size: int = 256
    epochs: int = 200
    patience: int = 20
    hidden: tuple[int, ...] = (512, 512)


class Vae(nn.Module):
    """q(h|u) = N(mu(u), diag exp logvar(u)), p(v|h) = N(dec(h), I), p(h) = N(0, I)."""

    def __init__(self, width: int, target_width: int, settings: VaeSettings) -> None:
        super().__init__()
        self.encoder = _perceptron((width, *settings.hidden, 2 * settings.latent))
        self.decoder = _perceptron((settings.latent, *settings.hidden, target_width))

    def posterior(self, available: Tensor) -> tuple[Tensor, Tensor]:
        """Map u (B, d_u) to mu and logvar, (B, k) each."""
        mean, log_variance = self.encoder(available).chunk(2, dim=1)
        return mean, log_variance

    def loss(self, available: Tensor, missing: Tensor, noise: Tensor, kl_weight: float = 1.0) -> Tensor:
        """Return the negative ELBO without its constant, mean over samples; noise (B, k) is standard normal."""
        mean, log_variance = self.posterior(available)
        reconstruction = self.decoder(mean + torch.exp(log_variance / 2) * noise)
        divergence = kl_divergence(mean, log_variance)
        return (negative_log_likelihood(missing, reconstruction) + kl_weight * divergence).mean()

    def forward(self, available: Tensor) -> Tensor:
        """Map u (B, d_u) to dec(mu(u)) (B, d_v), what is served at test time."""
        imputed: Tensor = self.decoder(self.posterior(available)[0])
        return imputed


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mu, diag exp logvar) || N(0, I)) per sample: -1/2 sum_j (1 + logvar_j - mu_j^2 - exp logvar_j)."""
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1)


def negative_log_likelihood(values: Tensor, reconstruction: Tensor) -> Tensor:
    """1/2 ||v - v^||^2 per sample, without d/2 log 2 pi. A sum: with a mean over features the KL would dominate."""
    return 0.5 * ((values - reconstruction) ** 2).sum(dim=1)


@dataclass(frozen=True)
class Standardisation:
    """Per-feature mean and standard deviation (d,) of training features; constant features are only shifted."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "Standardisation":
        """Measure features (N, d)."""
        deviation = features.std(dim=0, correction=0)
        return cls(features.mean(dim=0), torch.where(deviation < _SMALLEST_DEVIATION, 1.0, deviation))

    def forth(self, features: Tensor) -> Tensor:
        """Standardise."""
        return (features - self.mean) / self.deviation

    def back(self, standardised: Tensor) -> Tensor:
        """Undo `forth`."""
        return standardised * self.deviation + self.mean


def _perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with GELU between them."""
    layers: list[nn.Module] = []
    for width, next_width in pairwise(widths):
        layers += [nn.GELU()] if layers else []
        layers.append(nn.Linear(width, next_width))
    return nn.Sequential(*layers)
