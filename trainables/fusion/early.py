"""Early fusion: one transformer over the tokens of all modalities, and the masks that read out each one alone."""

from collections.abc import Mapping
from functools import partial
from typing import Self

import torch
from torch import Tensor

from trainables.api import Backbone, Batch, Dataset, Features, Fusion, InputInfo
from trainables.attention import block_mask, key_mask, mean_of_valid
from trainables.encoder_names import JOINT, backbone_identity, build_backbone

__all__ = ["Early"]


class Early(Fusion):
    """s = concat(mean(h over the tokens of 1), ..., mean(h over the tokens of M)) W^T + b (MMPT section 3.2).

    h are the final states of one transformer over concat(tokens of 1, ..., tokens of M). Padding and modalities that a
    row lacks are no keys (mask M_i) and are not pooled. With M_c added, no token sees another modality's, and z^m is
    that of modality m alone; tokens that belong to no modality then see only themselves. `alone` computes the same by
    running each modality separately, in 0.8 to 1.1 of the masked pass's time on complete samples and in 0.6 to 0.9
    where half of the modalities are missing (one core; `benchmarks/masked_pass.py`).
    """

    depends_on_pattern = True

    def __init__(self, backbone: Backbone, used: tuple[str, ...], num_classes: int) -> None:
        super().__init__({JOINT: backbone}, dict.fromkeys(used, backbone.width), num_classes)

    @classmethod
    def parts(cls, dataset: type[Dataset], used: tuple[str, ...]) -> Mapping[str, str | None]:
        """Return one backbone for all modalities."""
        del used
        return {JOINT: dataset.default_backbone}

    @classmethod
    def identities(cls, names: Mapping[str, str], inputs: Mapping[str, InputInfo]) -> dict[str, str]:
        """Return the backbone's identity."""
        return {JOINT: backbone_identity(names[JOINT], inputs)}

    @classmethod
    def build(
        cls, names: Mapping[str, str], inputs: Mapping[str, InputInfo], used: tuple[str, ...], num_classes: int
    ) -> Self:
        """Build the backbone for all modalities of the data, so that a teacher's weights fit a student of more."""
        return cls(build_backbone(names[JOINT], inputs), used, num_classes)

    @property
    def backbone(self) -> Backbone:
        """The transformer."""
        backbone = self.encoders[JOINT]
        assert isinstance(backbone, Backbone)
        return backbone

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Let every row's available modalities see each other."""
        if len(self._shown(batch)) > 1:
            return self._together(batch, isolated=False)
        return self._separately(batch)

    def alone(self, features: Features, batch: Batch) -> Features:
        """Run each modality's tokens by themselves."""
        del features
        with self.autocast():
            separate = self._separately(batch)
        return {name: z.float() for name, z in separate.items()}

    def masked(self, batch: Batch) -> dict[str, Tensor]:
        """Return what `alone` does from one pass with M_c, the definition that it is proved against."""
        return self._together(batch, isolated=True)

    def _separately(self, batch: Batch) -> dict[str, Tensor]:
        features = self._nothing(batch)
        for name in self._shown(batch):
            z = self.spread(len(batch.inputs[name]), partial(self._by_itself, name, batch.inputs[name]))
            features[name] = _placed(z, batch.rows(name), len(batch))
        return features

    def _by_itself(self, name: str, inputs: Tensor, rows: slice) -> Tensor:
        tokens, valid = self.backbone.embed(name, inputs[rows])
        hidden = self.backbone.transform(tokens, None if valid is None else key_mask(valid))
        return mean_of_valid(hidden, valid)

    def _together(self, batch: Batch, *, isolated: bool) -> dict[str, Tensor]:
        names = [name for name in self.widths if name in batch.inputs]
        joined = self.spread(len(batch), lambda rows: self._joined(batch.part(rows), names, isolated=isolated))
        parts = torch.split(joined, [self.widths[name] for name in names], dim=1)
        return {name: z.contiguous() for name, z in zip(names, parts, strict=True)}

    def _joined(self, batch: Batch, names: list[str], *, isolated: bool) -> Tensor:
        """Return (B, sum of widths) of one pass; a worker's rows may show fewer modalities than the batch."""
        features = self._nothing(batch)
        if any(self._shown(batch)):
            features |= self._pooled(batch, isolated=isolated)
        return torch.cat([features[name] for name in names], dim=1)

    def _pooled(self, batch: Batch, *, isolated: bool) -> dict[str, Tensor]:
        segments: dict[str, Tensor] = {}
        valid: dict[str, Tensor] = {}
        for name in self._shown(batch):
            tokens, has = self.backbone.embed(name, batch.inputs[name])
            rows = batch.rows(name)
            every = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device) if has is None else has
            segments[name], valid[name] = (_placed(part, rows, len(batch)) for part in (tokens, every))
        shared = self.backbone.shared_tokens()
        if shared is not None:
            first = next(iter(segments.values()))
            segments = {"": shared.to(first.dtype).expand(len(batch), -1, -1), **segments}
            several = torch.stack([has.any(dim=1) for has in valid.values()]).sum(dim=0) > 1
            valid = {"": several[:, None].expand(-1, len(shared)), **valid}
        lengths = [segment.shape[1] for segment in segments.values()]
        mask = key_mask(torch.cat(list(valid.values()), dim=1))
        if isolated:
            mask = mask + block_mask(lengths, mask.device)
        hidden = self.backbone.transform(torch.cat(list(segments.values()), dim=1), mask)
        pieces = dict(zip(segments, torch.split(hidden, lengths, dim=1), strict=True))
        return {name: mean_of_valid(pieces[name], valid[name]) for name in self.widths if name in pieces}

    def _shown(self, batch: Batch) -> list[str]:
        return [name for name in self.widths if name in batch.inputs and len(batch.inputs[name])]

    def _nothing(self, batch: Batch) -> dict[str, Tensor]:
        return {
            name: torch.zeros(len(batch), width, device=batch.targets.device)
            for name, width in self.widths.items()
            if name in batch.inputs
        }


def _placed(values: Tensor, rows: Tensor | None, count: int) -> Tensor:
    """Put (B_m, ...) into the given rows of (B, ...); the others are zero, or False."""
    return values if rows is None else values.new_zeros(count, *values.shape[1:]).index_copy(0, rows, values)
