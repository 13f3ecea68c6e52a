"""The parts of a data set: what is trained on, what is selected on, and what is reported."""

__all__ = ["SPLITS"]

SPLITS = ("train", "val", "test")
"""In the order in which tables and caches have them."""
