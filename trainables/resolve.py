"""From what a user wrote to what will run: defaults spelled out, names checked, identity computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.missing_protocols import protocol_named
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from search_spaces.missing_rates import INDEPENDENT, MissingRates
from search_spaces.modality import Pattern
from search_spaces.spec import TrialSpec, content_hash
from trainables.api import DataInfo, Dataset, Fusion, Method
from trainables.catalogs import DATASETS, FUSIONS, METHODS
from trainables.dataset_identity import open_dataset
from trainables.encoder_names import DEFAULT, JOINT, TINY, tiny_name
from trainables.params import read_params, spell_out
from trainables.support import check_support

__all__ = ["Resolved", "resolve"]

RECIPE_VERSION = "2"
"""Raise it whenever the loop, the optimiser or the probes give other numbers for the same spec."""

_MOST_KNOWN = 200_000
_KNOWN: dict[tuple[TrialSpec, type[Dataset], type[Method], type[Fusion]], "Resolved"] = {}


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A trial that can run.

    Attributes:
        spec: every default spelled out, so that equal trials have equal specs.
        trial_id: content hash of the spec, the versions of method, data set, fusion and encoders, and the data.
        fingerprint: content hash of the prepared data.
        info: shapes and classes of the data.
        dataset_title: the data set's name in tables.
        method: the method's class.
        fusion: the fusion's class.
        versions: of method, fusion and missing protocol, and the identities of the encoders.
        hyperparameters: the method's, typed.
    """

    spec: TrialSpec
    trial_id: str
    fingerprint: str
    info: DataInfo
    dataset_title: str
    method: type[Method]
    fusion: type[Fusion]
    hyperparameters: Any
    versions: Mapping[str, Any]

    @property
    def used(self) -> tuple[str, ...]:
        """Modalities that the method trains on."""
        return self.method.uses(self.hyperparameters, self.info.modalities)

    @property
    def reports(self) -> tuple[Pattern, ...]:
        """Patterns for which the trial stands in its method's profile, the main one first."""
        return self.method.reports(self.hyperparameters, self.info.modalities)

    def facts(self) -> dict[str, Any]:
        """Return what tables need to know of the trial, known before it starts (see `results.schema.TrialRecord`)."""
        return {
            "modalities": list(self.info.modalities),
            "num_classes": self.info.num_classes,
            "multi_label": self.info.multi_label,
            "fingerprint": self.fingerprint,
            "versions": dict(self.versions),
            "reports": [pattern.key for pattern in self.reports],
            "titles": {"method": self.method.card.title, "dataset": self.dataset_title},
        }

    def requirements(self) -> Mapping[str, TrialSpec]:
        """Specs of the trials that must be finished first."""
        return self.method.requires(self.spec, self.hyperparameters, self.info.modalities)


def resolve(spec: TrialSpec) -> Resolved:
    """Check every name and value of a spec, spell out its defaults and give it its identity.

    Raises:
        UnknownNameError, InvalidValueError: a name or value is wrong; the message says what is allowed.
    """
    return _resolved(spec, ())


def _resolved(spec: TrialSpec, chain: tuple[TrialSpec, ...]) -> Resolved:
    """Resolve a spec once per process; `chain` are the specs that led to it."""
    classes = DATASETS.get(spec.dataset), METHODS.get(spec.method), FUSIONS.get(spec.fusion)
    found = _KNOWN.get((spec, *classes))
    if found is None:
        found = _resolve(spec, *classes, chain)
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[spec, *classes] = _KNOWN[found.spec, *classes] = found  # spelled out it is the same trial
    return found


def _required_id(spec: TrialSpec, chain: tuple[TrialSpec, ...]) -> str:
    """Return the id of a required trial: what a trial is made of includes the trials it starts from."""
    if spec in chain:
        circle = " -> ".join(needed.method for needed in (*chain[chain.index(spec) :], spec))
        raise MmptError(f"trials require each other in a circle: {circle}")
    return _resolved(spec, chain).trial_id


def _resolve(
    spec: TrialSpec,
    data_class: type[Dataset],
    method: type[Method],
    fusion: type[Fusion],
    chain: tuple[TrialSpec, ...],
) -> Resolved:
    modalities = tuple(sorted(data_class.modalities()))
    dataset, fingerprint = open_dataset(spec)
    info = dataset.info()
    check_support(spec, method, info)
    given = read_params(method.Hyperparameters, spec.method_params, spec.method, modalities)
    hyperparameters = method.settle(given, fusion)
    used = method.uses(hyperparameters, modalities)
    encoders = _encoders(spec, fusion.parts(data_class, used), modalities)
    full = spec.replace(
        dataset_params=spell_out(dataset.params),
        method_params=spell_out(hyperparameters),
        encoders=encoders,
        **_missing(spec, modalities, used),
    )
    identities = fusion.identities(encoders, info.inputs)
    versions = {"recipe": RECIPE_VERSION, "method": method.version, "fusion": fusion.version, "encoders": identities}
    versions["missing"] = protocol_named(full.missing).version
    requires = method.requires(full, hyperparameters, modalities)
    identity = {"spec": {**full.to_config(), "encoders": {}}, "data": fingerprint, "versions": versions}
    if requires:
        identity["requires"] = {name: _required_id(needed, (*chain, full)) for name, needed in requires.items()}
    return Resolved(
        spec=full,
        trial_id=content_hash(identity),
        fingerprint=fingerprint,
        info=info,
        dataset_title=data_class.card.title,
        method=method,
        fusion=fusion,
        hyperparameters=hyperparameters,
        versions=versions,
    )


def _missing(spec: TrialSpec, modalities: tuple[str, ...], used: tuple[str, ...]) -> dict[str, Any]:
    """Return p_train as its protocol has it, and the protocol; if no used modality goes missing, neither matters."""
    protocol = protocol_named(spec.missing)
    rates = protocol.settle(spec.p_train or protocol.implied(modalities), modalities)
    # Other rates change a used modality's mask too, by rescuing samples that would lose everything.
    if rates.only(used):
        return {"p_train": rates, "missing": spec.missing}
    return {"p_train": MissingRates(), "missing": INDEPENDENT}


def _encoders(spec: TrialSpec, parts: Mapping[str, str | None], modalities: tuple[str, ...]) -> dict[str, str]:
    """Return the name of each of the fusion's parts; what a spec names for another fusion does not matter here."""
    for name in spec.encoders:
        if name not in {*modalities, *parts, JOINT, DEFAULT}:
            raise UnknownNameError("modality", name, (*modalities, JOINT, DEFAULT))
    return {name: _encoder(spec, name, default) for name, default in parts.items()}


def _encoder(spec: TrialSpec, name: str, default: str | None) -> str:
    chosen = spec.encoders.get(name, spec.encoders.get(DEFAULT, default))
    if chosen is None or (chosen == TINY and default is None):
        raise InvalidValueError(f"encoder.{name}", chosen, f"an encoder; {spec.dataset} has no default for it")
    return tiny_name(str(default)) if chosen == TINY else str(chosen)
