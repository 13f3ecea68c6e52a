"""The compacted trials of a store: which parts it has, and which part answers for a trial."""

from collections.abc import Callable
from typing import TypeVar

from results.files import Files, StoreError
from results.part_files import COMPACTED, PART_DONE
from results.parts import Part

__all__ = ["CompactedTrials"]

T = TypeVar("T")


class CompactedTrials:
    """A store's folders `compacted/<part>/`. Parts never change, so each is looked at once."""

    files: Files

    def __init__(self) -> None:
        self._known: dict[str, Part] = {}

    def parts(self) -> list[Part]:
        """Return the parts there are now, damaged ones too; of a trial in several of them, the first has the latest."""
        found = {name: self._known.get(name) or Part(self.files, name) for name in self.files.names(COMPACTED)}
        self._known = {
            name: part for name, part in found.items() if part.refusal is None
        }  # others may be in the making
        return sorted(found.values(), key=lambda part: (part.refusal is not None, -part.order, part.name))

    def compacted_ids(self) -> set[str]:
        """Ids of the trials in parts whose files are all there and as long as they were."""
        return self.compacted_problems(verify=False)[1]

    def compacted_problems(self, *, verify: bool) -> tuple[dict[str, str], set[str]]:
        """Check the length, or every byte, of every part's files.

        Returns (what is wrong with trials that no part holds whole, the whole ones).

        A part whose trials cannot even be named stands for them under the name of its folder.
        """
        found: dict[str, str] = {}
        whole: set[str] = set()
        for part in self.parts():
            damaged = part.damaged() if verify else part.damaged_at_sight()
            whole.update(trial_id for trial_id in part.trial_ids if trial_id not in damaged)
            found = {**damaged, **found}
            if not part.trial_ids and self.files.exists(COMPACTED, part.name, PART_DONE):
                found[f"{COMPACTED}/{part.name}"] = str(part.refusal)
        return {key: why for key, why in found.items() if key not in whole}, whole

    def read_compacted(self, trial_id: str, read: Callable[[Part], T]) -> T | None:
        """Return what `read` makes of the latest part that has a trial whole, or None if no part has it.

        Raises:
            CorruptTrialError: no part holds it whole.
            SchemaError: a newer version of this program wrote it.
        """
        problem: StoreError | None = None
        for part in self.parts():
            if trial_id in part:
                try:
                    return read(part)
                except StoreError as error:
                    problem = problem or error
        if problem is not None:
            raise problem
        return None
