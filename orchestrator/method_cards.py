"""Cards of methods, generated from their classes: for `mmpt show METHOD` and for docs/methods.md.

`python -m orchestrator.method_cards docs/methods.md` writes the page anew.
"""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from search_spaces.spec import TrialSpec
from trainables.api import Method
from trainables.catalogs import METHODS
from trainables.params import read_params
from trainables.support import support_text

__all__ = ["card_text", "methods_page", "parameter_lines", "unindented"]

_EXAMPLE = ("m1", "m2")
_USE = {
    True: "left out: only complete samples carry a loss",
    False: "used by the loss terms of the modalities it has",
}


def card_text(name: str) -> str:
    """Return a method's card as plain text."""
    method = METHODS.get(name)
    lines = [f"{name}: {method.card.title} ({method.card.paper})", method.card.idea, "", unindented(method), ""]
    lines += [f"{label}: {value}" for label, value in _facts(name, method).items()]
    return "\n".join([*lines, "", *(parameter_lines(method.Hyperparameters) or ["no parameters"])])


def methods_page() -> str:
    """Return the page of all installed methods in Markdown."""
    parts = [
        "# Methods",
        "Generated from the cards that `mmpt show METHOD` prints; see `orchestrator/method_cards.py`.",
    ]
    for name in sorted(set(METHODS.names()) - set(METHODS.added())):
        method = METHODS.get(name)
        card, facts = method.card, _facts(name, method)
        parts += [f"## `{name}`: {card.title}", f"{card.paper}. {card.idea}", f"```text\n{unindented(method)}\n```"]
        parts += ["\n".join(f"- {label}: {value}" for label, value in facts.items())]
        lines = parameter_lines(method.Hyperparameters)
        parts += ["\n".join(["```text", *lines, "```"])] if lines else []
    return "\n\n".join(parts) + "\n"


def parameter_lines(params: type[Any]) -> list[str]:
    """Return one line per parameter: its default, what is allowed and what is usually searched; [] if it has none."""
    lines = [f"  {item.name} = {_default(item)}: {_allowed(item.metadata)}".rstrip(": ") for item in fields(params)]
    return ["parameters:", *lines] if lines else []


def unindented(thing: type[Any]) -> str:
    """Return a class's docstring without its indentation."""
    return "\n".join(line.removeprefix("    ") for line in (thing.__doc__ or "").strip().splitlines())


def _facts(name: str, method: type[Method]) -> dict[str, str]:
    card = method.card
    late, early = card.cost
    return {
        "supports": support_text(method),
        "requires": ", ".join(_required(name, method)) or "no other trial",
        "cost relative to naive": f"{late} in late fusion, {early} in early fusion",
        "incomplete training samples": card.missing_in_training or _USE[method.needs_complete],
        "missing at test time (probe; head)": card.missing_at_test,
    }


def _required(name: str, method: type[Method]) -> list[str]:
    """Return the trials that a trial with default hyperparameters on two modalities requires."""
    given = {item.name: _EXAMPLE[0] for item in fields(method.Hyperparameters) if "modality" in item.metadata}
    hyperparameters = read_params(method.Hyperparameters, given, name, _EXAMPLE)
    specs = method.requires(TrialSpec(dataset="any", method=name, method_params=given), hyperparameters, _EXAMPLE)
    return [" ".join([spec.method, *map(str, spec.method_params.values())]) for spec in specs.values()]


def _default(item: Field[Any]) -> str:
    if "per_modality" in item.metadata:
        return f"{item.metadata['per_modality']:g} for every modality"
    if item.default is MISSING:
        return "required"
    if isinstance(item.default, bool):
        return str(item.default).lower()  # as --set takes it
    return f"{item.default:g}" if isinstance(item.default, float) else str(item.default)


def _allowed(metadata: Mapping[str, Any]) -> str:
    if "modality" in metadata:
        return "one of the data set's modalities"
    parts = []
    if "bounds" in metadata:
        parts.append("{:g} to {:g}".format(*metadata["bounds"]))
    if "options" in metadata:
        parts.append(" or ".join(metadata["options"]))
    search = metadata.get("search", ())
    if any(isinstance(value, bool) for value in search):
        parts.append("true or false")
    elif search:
        parts.append(f"usually searched over {', '.join(f'{value:g}' for value in search)}")
    return "; ".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(methods_page(), encoding="utf-8")
