"""Where a paper prints a number of a method, and a store's number of the same place."""

from math import isnan
from typing import NamedTuple

import pandas as pd

from results.availability import availability
from results.candidates import Group
from results.cells import Cell, empty
from results.group_cells import pattern_cell, rates_cells
from results.layout import column_title
from results.missing_protocols import protocol_named
from results.systems import IMPUTATION, Systems
from results.trial_rows import rates_text
from search_spaces.errors import InvalidValueError
from search_spaces.missing_rates import INDEPENDENT, MissingRates
from search_spaces.modality import FULL, Pattern

__all__ = ["Place", "places_of", "printed_cells"]


class Place(NamedTuple):
    """What was there in training and at test time, as `results.published.published` spells it."""

    train: str
    available: str
    p_test: str

    def heading(self, modalities: list[str]) -> str:
        """Return what the place is called."""
        if self.available:
            return column_title(self._pattern(modalities), modalities)
        train, test = (availability(_rates(text), modalities) for text in (self.train, self.p_test))
        return f"train {train}; test {test}"

    def cell(self, systems: Systems, group: Group) -> Cell:
        """Return the store's number, of the group's method, fusion and data.

        p_train is the place's, and the masks are those of the missing protocol that the report asks for.
        """
        if group.method.startswith(IMPUTATION):
            return empty("feature imputation has a table of its own")
        try:
            own = self._trained(systems, group)
        except InvalidValueError as error:
            return empty(str(error))
        if self.available:
            return pattern_cell(systems, own, self._pattern(systems.modalities(group)))
        return rates_cells(systems, own, [_rates(self.p_test)])[0]

    def _trained(self, systems: Systems, group: Group) -> Group:
        """Return the group at the place's p_train, of the protocol that the report tests with.

        Raises:
            InvalidValueError: the protocol has no such p_train.
        """
        if not _rates(self.train):
            return group._replace(p_train="0", missing=INDEPENDENT)
        modalities, missing = systems.modalities(group), systems.options.missing
        rates = protocol_named(missing).settle(_rates(self.train), modalities)
        return group._replace(p_train=rates_text(rates, modalities), missing=missing)

    def _pattern(self, modalities: list[str]) -> Pattern:
        return Pattern(modalities) if self.available == FULL else Pattern.from_key(self.available)


def _rates(text: str) -> MissingRates:
    return MissingRates.parse(text) if ":" in text else MissingRates()


def places_of(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each of a paper's rows."""
    return [Place(*place) for place in rows[list(Place._fields)].itertuples(index=False)]


def printed_cells(rows: pd.DataFrame, source: str) -> dict[tuple[str, Place], Cell]:
    """Return (method, place) -> the printed number."""
    numbers = zip(rows["method"], places_of(rows), rows["value"], rows["spread"], strict=True)
    return {
        (method, place): Cell(value=value, spread=None if isnan(spread) else spread, reason=f"printed in {source}")
        for method, place, value, spread in numbers
    }
