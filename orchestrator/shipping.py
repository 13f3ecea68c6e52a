"""A user's own classes on their way to workers."""

import inspect

from ray import cloudpickle

from trainables.extensions import Extensions

__all__ = ["ship_by_value"]


def ship_by_value(extensions: Extensions) -> None:
    """Let the user's classes travel to workers with their code: their modules need not be importable there."""
    for entries in extensions.values():
        for entry in entries.values():
            module = inspect.getmodule(entry)
            if module is not None and module.__name__ != "__main__":
                cloudpickle.register_pickle_by_value(module)
