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
from trainables.kept_model import unpack_model
from trainables.loop import EVALUATION_BATCH, encode
from trainables.params import read_params
from trainables.prepared_arrays import info_from_json, info_to_json
from trainables.resolve import Resolved
from trainables.served_samples import Inputs, read_samples

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
        state, self._probes = unpack_model((folder / WEIGHTS).read_bytes())
        self.info = info_from_json(card["info"])
        self.trial_id: str = card["trial_id"]
        self.route: str = card["route"]
        resolved = _resolved(card, self.info)
        self._used = resolved.used
        self._compute = Compute(torch.get_default_device(), bfloat16=False)
        self._method = build_method(resolved, self._compute)
        self._method.load_state_dict(state)
        self._method.eval()
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

    def _check_route(self) -> None:
        if self._method.imputation() is not None:
            key = self._method.spec.method
            raise MmptError(f"{key} completes features by models that are not kept: it cannot be registered")
        if self.route == "probe" and not self._probes:
            raise MmptError(f"the weights of trial {self.trial_id} were kept without probes; register it by route head")

    def _predict(self, samples: SplitData, rows: npt.NDArray[np.int64], pattern: Pattern) -> Floats:
        with torch.inference_mode():
            features = encode(self._method, samples.batch(rows, pattern), self._compute)
            own: dict[str, Tensor] = {name: features[name] for name in pattern}
            logits = self._probed(own, pattern) if self.route == "probe" else self._method.predict(own, pattern)
        if logits is None:
            raise InvalidValueError("available modalities", pattern.key, f"a pattern that {self.trial_id} predicts")
        return np.asarray(logits.float().cpu().numpy())

    def _probed(self, features: Mapping[str, Tensor], pattern: Pattern) -> Tensor | None:
        if pattern not in self._probes:
            return None
        weight, bias = (tensor.to(self._compute.device) for tensor in self._probes[pattern])
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
