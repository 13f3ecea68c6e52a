"""Missing protocols, one file each: the file defines `PROTOCOL`, its name is what the axis `missing` takes."""

from results.missing_masks import MissingProtocol
from search_spaces.catalog import Catalog

__all__ = ["MISSING_PROTOCOLS", "protocol_named"]

MISSING_PROTOCOLS: Catalog[MissingProtocol] = Catalog("missing protocol", "results.missing_protocols", "PROTOCOL")


def protocol_named(name: str) -> MissingProtocol:
    """Return a protocol by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    return MISSING_PROTOCOLS.get(name)
