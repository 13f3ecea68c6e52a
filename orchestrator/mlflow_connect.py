"""Opens MLflow quietly and impatiently: no waiting for minutes, no chatter in the terminal, no telemetry."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.tracking_uri import redact, uri_kind
from search_spaces.errors import MmptError

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["connect", "mlflow_errors"]

_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # MLflow's own defaults retry for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",  # an error is better than a value cut in silence
}


def connect(uri: str) -> "MlflowClient":
    """Return a client; what the user set in the environment is respected. Importing MLflow takes seconds."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # noqa: PLC0415 (seconds, and only after the environment is set)

    for name, level in (("mlflow", logging.WARNING), ("alembic", logging.WARNING), ("urllib3", logging.ERROR)):
        logging.getLogger(name).setLevel(level)
    if uri_kind(uri) == "sqlite":
        Path(uri.partition(":///")[2].partition("?")[0]).parent.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=uri)


@contextmanager
def mlflow_errors(uri: str) -> Iterator[None]:
    """Turn what MLflow raises into one line, for commands that are of no use without it.

    Raises:
        MmptError: MLflow cannot be reached or refuses.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (seconds)

    try:
        yield
    except MlflowException as error:
        raise MmptError(f"MLflow at {redact(uri)}: {redact(str(error)).splitlines()[0]}") from error
