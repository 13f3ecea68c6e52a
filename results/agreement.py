"""Do several stores agree about the trials that more than one of them has?"""

from collections.abc import Collection, Sequence

import pandas as pd

from results.scores import SCORES_SCHEMA
from results.sources import Source
from search_spaces.errors import MmptError

__all__ = ["check_equal"]


def check_equal(repeated: Collection[str], sources: Sequence[Source]) -> None:
    """Compare the scores of trials that several sources have.

    Raises:
        MmptError: two of them disagree.
    """
    keys = ["trial_id", *SCORES_SCHEMA.names[:-1]]
    known = pd.DataFrame(columns=[*keys, "value", "place"])
    for source in sources if repeated else ():
        rows = source.scores(None, None, None)
        own = rows[rows["trial_id"].isin(repeated)].assign(place=source.place)
        both = known.merge(own, on=keys, suffixes=("", "_here"))
        differs = both[both["value"] != both["value_here"]]
        if not differs.empty:
            first = differs.iloc[0]
            raise MmptError(
                f"trial {first['trial_id']} has other scores in {first['place']} than in {source.place}; "
                "leave one of the two stores out, or remove the trial from one"
            )
        known = pd.concat([known, own]) if len(known) else own
