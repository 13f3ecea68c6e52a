"""The version of everything that is written, in a file that imports no pandas."""

from results.files import StoreError

__all__ = ["SCHEMA_VERSION", "SchemaError", "check_version"]

SCHEMA_VERSION = 1


class SchemaError(StoreError):
    """A file of a schema that this version does not know."""


def check_version(version: int, what: str) -> None:
    """Refuse a schema version from the future.

    Raises:
        SchemaError: the version is newer than `SCHEMA_VERSION`.
    """
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"{what} has schema version {version}, this program knows up to {SCHEMA_VERSION}; "
            "update mmpt-sweep to read it"
        )
