"""Candidates in one hyperparameter: `naive,mtl:weight=0.5`, spelled out to the trials that they stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import product

from search_spaces.errors import InvalidValueError
from search_spaces.modality import patterns
from search_spaces.spec import TrialSpec, Value
from trainables.catalogs import METHODS
from trainables.params import read_params

__all__ = ["candidate_specs"]


def candidate_specs(spec: TrialSpec, candidates: str, modalities: tuple[str, ...]) -> dict[str, TrialSpec]:
    """Return the candidates' trials by a name of their own, trained as `spec` says except for the method.

    A method that wants a modality, like dropout, stands for one trial per modality unless one is given.

    Raises:
        UnknownNameError, InvalidValueError: there is no such method or parameter, or it has no joint model.
    """
    found: dict[str, TrialSpec] = {}
    for text in candidates.split(","):
        name, *settings = text.strip().split(":")
        for params in _spelled_out(name, dict(map(_setting, settings)), modalities):
            label = ":".join([name, *(f"{key}={value}" for key, value in params.items())])
            found[label] = spec.replace(method=name, method_params=params)
    return found


def _spelled_out(name: str, given: Mapping[str, Value], modalities: tuple[str, ...]) -> Iterator[dict[str, Value]]:
    method = METHODS.get(name)
    open_names = [item.name for item in fields(method.Hyperparameters) if "modality" in item.metadata]
    open_names = [item for item in open_names if item not in given]
    for values in product(modalities, repeat=len(open_names)):
        params = {**given, **dict(zip(open_names, values, strict=True))}
        hyperparameters = read_params(method.Hyperparameters, params, name, modalities)
        if patterns(modalities)[0] not in method.reports(hyperparameters, modalities):
            raise InvalidValueError("candidate", name, "a method that trains all modalities together")
        yield params


def _setting(text: str) -> tuple[str, Value]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidValueError("candidate", text, "<method>:<parameter>=<value>")
    if value in ("true", "false"):
        return name, value == "true"
    try:
        return name, float(value)
    except ValueError:
        return name, value
