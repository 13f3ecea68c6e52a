"""How well each modality predicts alone, and how much OGM-GE therefore slows its encoder."""

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["RATIOS", "coefficients", "scores"]

RATIOS = ("others", "pairwise", "weakest")
"""What a score is compared with; the last two are those of the authors' toolkit, which pads denominators."""
_PADDING = 1e-5


def scores(split_logits: Mapping[str, Tensor], targets: Tensor, ratio: str = RATIOS[0]) -> Tensor:
    """Return score_m (M,) of the modalities in order.

    Single-label: sum_i softmax(s^m_i)[y_i]. Multi-label: the mean over samples of the mean sigmoid(s^m_i) on their
    positive classes, since all classes together would be dominated by easy negatives; NaN if no sample has any. The
    rule `weakest` squashes logits by a cosine and counts only what is predicted rightly, as the toolkit does.
    """
    return torch.stack([_score(logits, targets, weakest=ratio == "weakest") for logits in split_logits.values()])


def _score(logits: Tensor, targets: Tensor, *, weakest: bool) -> Tensor:
    used = logits.cos() if weakest else logits
    if targets.ndim == logits.ndim:
        positive = targets.to(logits.dtype)
        confidence = used.sigmoid() * (logits > 0) if weakest else used.sigmoid()
        return ((confidence * positive).sum(dim=1) / positive.sum(dim=1)).nanmean()
    confidence = used.softmax(dim=1).gather(1, targets.unsqueeze(1)).squeeze(1)
    return (confidence * (logits.argmax(dim=1) == targets) if weakest else confidence).sum()


def coefficients(found: Tensor, alpha: float, ratio: str = RATIOS[0]) -> Tensor:
    """Return kappa_m = 1 - tanh(alpha rho_m) where rho_m > 1, else 1, from scores (M,).

    rho_m is score_m over the mean of the others (`others`), the mean of its ratios to each of the others (`pairwise`),
    or its ratio to the smallest score (`weakest`).
    """
    others = 1 - torch.eye(len(found), dtype=found.dtype, device=found.device)
    if ratio == "others":
        rho = found * others.sum(dim=1) / (others @ found)
    elif ratio == "pairwise":
        rho = (found.unsqueeze(1) / (found + _PADDING) * others).sum(dim=1) / others.sum(dim=1)
    else:
        rho = found / (found.min() + _PADDING)
    return torch.where(rho > 1, 1 - torch.tanh(alpha * rho), torch.ones_like(rho))
