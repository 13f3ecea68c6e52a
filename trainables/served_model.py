"""A trained trial as something that predicts: rebuilt from its card and weights, without store, data set or sweep."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from results.schema import SCHEMA_VERSION, Floats, TrialRecord, check_version
from search_spaces.errors import InvalidValueError, MmptError
from search_spaces.modality import Pattern, patterns
from search_spaces.spec import TrialSpec
from trainables.api import DataInfo, Fusion, Method
from trainables.build import build_method
from trainables.catalogs import FUSIONS, METHODS
from trainables.data import SplitData
from trainables.devices import Compute
from trainables.evaluate import join_features
from trainables.imputation import completed
from trainables.kept_model import KeptModel, unpack_model
from trainables.loop import EVALUATION_BATCH, encode
from trainables.params import read_params
from trainables.prepared_arrays import info_from_json, info_to_json
from trainables.resolve import Resolved
from trainables.served_samples import Inputs, read_samples
from trainables.vae_fit import FittedVae

__all__ = ["CARD", "WEIGHTS", "ServedModel", "write_served"]

CARD, WEIGHTS = "card.json", "model.safetensors"


def write_served(folder: Path, record: TrialRecord, info: DataInfo, weights: bytes, route: str) -> None:
    """Write all that `ServedModel` needs into an empty folder.

    Args:
        folder: must exist.
        record: the finished trial.
        info: of its data.
        weights: as the store keeps them.
        route: `probe` or `head`, by which the model predicts.
    """
    card = {
        "schema_version": SCHEMA_VERSION,
        "trial_id": record.trial_id,
        "route": route,
        "spec": record.spec.to_config(),
        "facts": dict(record.facts),
        "info": info_to_json(info),
    }
    (folder / CARD).write_text(json.dumps(card, indent=1), encoding="utf-8")
    (folder / WEIGHTS).write_bytes(weights)


class ServedModel:
    """Predicts a trial's logits from whatever modalities a sample has.

    Args:
        folder: what `write_served` wrote.

    Raises:
        MmptError: the installed code is not that which trained the model, or the model cannot predict by its route.
    """

    def __init__(self, folder: Path) -> None:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        check_version(card["schema_version"], f"model {folder}")
        kept = unpack_model((folder / WEIGHTS).read_bytes())
        self.info = info_from_json(card["info"])
        self.trial_id: str = card["trial_id"]
        self.route: str = card["route"]
        resolved = _resolved(card, self.info)
        self._used = resolved.used
        self._compute = Compute(torch.get_default_device(), bfloat16=False)
        self._method = build_method(resolved, self._compute)
        self._method.load_state_dict(kept.weights)
        self._method.eval()
        device = self._compute.device
        self._probes = {pattern: (one.to(device), bias.to(device)) for pattern, (one, bias) in kept.probes.items()}
        self._imputers = self._rebuilt(kept)
        self._check_route()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that the model can use."""
        return self._used

    def logits(self, inputs: Inputs) -> Floats:
        """Predict samples, each under the pattern of the modalities that it has.

        Args:
            inputs: modality -> N arrays, None where a sample lacks it; a modality that all lack may be left out.

        Returns:
            (N, C) float32.

        Raises:
            UnknownNameError, InvalidValueError: see `read_samples`; or the model does not predict under a pattern.
        """
        samples = read_samples(inputs, self.info, self._used, self._compute)
        found = np.zeros((len(samples), self.info.num_classes), np.float32)
        columns = [self.info.modalities.index(name) for name in self._used]
        has = samples.available[:, columns]
        for pattern in patterns(self._used):
            wanted = [name in pattern for name in self._used]
            rows = np.flatnonzero((has == wanted).all(axis=1))
            for start in range(0, len(rows), EVALUATION_BATCH):
                part = rows[start : start + EVALUATION_BATCH]
                found[part] = self._predict(samples, part, pattern)
        return found

    def _rebuilt(self, kept: KeptModel) -> dict[Pattern, FittedVae]:
        if (recipe := self._method.imputation()) is None:
            return {}
        settings, _ = recipe
        return {
            pattern: FittedVae.of({name: tensor.to(self._compute.device) for name, tensor in own.items()}, settings)
            for pattern, own in kept.imputers.items()
        }

    def _check_route(self) -> None:
        if self._method.imputation() is not None:
            lacking = [one.key for one in patterns(self._used)[1:] if one not in self._imputers]
            if lacking:
                raise MmptError(
                    f"the weights of trial {self.trial_id} were kept without what completes features "
                    f"({', '.join(lacking)}): train it anew"
                )
            if self.route == "head":
                raise MmptError(f"{self._method.spec.method} predicts by probes only; register it by route probe")
        if self.route == "probe" and not self._probes:
            raise MmptError(f"the weights of trial {self.trial_id} were kept without probes; register it by route head")

    def _predict(self, samples: SplitData, rows: npt.NDArray[np.int64], pattern: Pattern) -> Floats:
        with torch.inference_mode():
            own = self._features(samples, rows, pattern)
            logits = self._probed(own, pattern) if self.route == "probe" else self._method.predict(own, pattern)
        if logits is None:
            raise InvalidValueError("available modalities", pattern.key, f"a pattern that {self.trial_id} predicts")
        return np.asarray(logits.float().cpu().numpy())

    def _features(self, samples: SplitData, rows: npt.NDArray[np.int64], pattern: Pattern) -> dict[str, Tensor]:
        """Return what a pattern is predicted from, as `evaluate` does; what is completed is encoded as if alone."""
        alone = self._method.imputation() is not None and self._method.fusion.depends_on_pattern
        own: dict[str, Tensor] = {}
        for shown in [Pattern([name]) for name in pattern] if alone else [pattern]:
            features = encode(self._method, samples.batch(rows, shown), self._compute)
            own |= {name: features[name] for name in shown}
        return completed(own, self._method.fusion.widths, self._imputers.get(pattern))

    def _probed(self, features: Mapping[str, Tensor], pattern: Pattern) -> Tensor | None:
        if pattern not in self._probes:
            return None
        weight, bias = self._probes[pattern]
        return join_features(features) @ weight + bias


def _resolved(card: Mapping[str, Any], info: DataInfo) -> Resolved:
    spec = TrialSpec.from_config(card["spec"])
    method: type[Method] = METHODS.get(spec.method)
    fusion: type[Fusion] = FUSIONS.get(spec.fusion)
    trained = card["facts"]["versions"]
    here: dict[str, Any] = {"method": method.version, "fusion": fusion.version}
    here["encoders"] = fusion.identities({name: str(part) for name, part in spec.encoders.items()}, info.inputs)
    for name, version in here.items():
        if trained[name] != version:
            raise MmptError(
                f"trial {card['trial_id']} was trained with {name} {trained[name]!r}, installed is {version!r}: "
                f"install the packages of {card['facts'].get('provenance', {})}"
            )
    given = read_params(method.Hyperparameters, spec.method_params, spec.method, info.modalities)
    return Resolved(
        spec=spec,
        trial_id=card["trial_id"],
        fingerprint=card["facts"]["fingerprint"],
        info=info,
        dataset_title=spec.dataset,
        method=method,
        fusion=fusion,
        hyperparameters=method.settle(given, fusion),
        versions=trained,
    )
