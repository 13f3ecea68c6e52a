"""A trial's spec and facts as they lie in `spec.json`, checked when they are read."""

import json
from typing import Any

from results.files import StoreError
from results.schema import SchemaError, check_version
from search_spaces.errors import MmptError
from search_spaces.spec import TrialSpec

__all__ = ["CorruptTrialError", "read_header"]

_FACTS = {"modalities": list, "reports": list, "fingerprint": str}
_OPTIONAL_FACTS = ("versions", "titles", "provenance")


class CorruptTrialError(StoreError):
    """A trial whose files do not have the content they were written with; it counts as not done.

    Attributes:
        trial_id: which one.
    """

    def __init__(self, message: str, trial_id: str) -> None:
        super().__init__(message)
        self.trial_id = trial_id


def read_header(trial_id: str, data: bytes) -> tuple[TrialSpec, dict[str, Any]]:
    """Return (spec, facts) of the bytes of a trial's `spec.json`.

    Raises:
        CorruptTrialError: it is no such file, or a fact that every table needs is missing.
        SchemaError: a newer version of this program wrote it.
    """
    try:
        return _spec_and_facts(data, f"trial {trial_id}")
    except SchemaError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, MmptError) as error:
        raise CorruptTrialError(f"trial {trial_id}: spec.json: {error}", trial_id) from error


def _spec_and_facts(data: bytes, what: str) -> tuple[TrialSpec, dict[str, Any]]:
    content = json.loads(data)
    check_version(int(content["schema_version"]), what)
    spec, facts = TrialSpec.from_config(content["spec"]), content["facts"]
    for name, kind in _FACTS.items():
        if not isinstance(facts[name], kind) or not facts[name]:
            raise ValueError(f"fact {name} is {facts[name]!r}, not a {kind.__name__} with content")
    for name in _OPTIONAL_FACTS:
        if not isinstance(facts.get(name, {}), dict):
            raise TypeError(f"fact {name} is {facts[name]!r}, not a dict")
    return spec, facts
