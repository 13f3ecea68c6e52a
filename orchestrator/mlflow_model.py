"""A trial's model in MLflow's own format: its content, what it takes and returns, and who loads it."""

import math
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trainables.served_model import ServedModel

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

__all__ = ["save_model"]

_LOADER = "orchestrator.registered_model"
_LARGEST_EXAMPLE = 5000  # numbers


def save_model(folder: Path, content: Path, served: ServedModel, owner: "LoggedModel") -> None:
    """Write an MLflow model.

    Args:
        folder: to be made.
        content: what `write_served` wrote; it is copied.
        served: the same, loaded.
        owner: MLflow's entry of the model.
    """
    import mlflow.pyfunc  # noqa: PLC0415 (seconds)
    from mlflow.models import Model  # noqa: PLC0415

    needed = [f"{package}=={version(package).partition('+')[0]}" for package in ("mmpt-sweep", "torch")]
    mlflow.pyfunc.save_model(
        str(folder),
        loader_module=_LOADER,
        data_path=str(content),
        mlflow_model=Model(model_id=owner.model_id, run_id=owner.source_run_id),
        signature=_signature(served),
        input_example=_example(served),
        pip_requirements=needed,  # else MLflow finds them out by loading the model in another process
    )


def _signature(served: ServedModel) -> "ModelSignature":
    """Return optional columns of any type: MLflow would look at every number of an array, the model checks it whole."""
    from mlflow.models import ModelSignature  # noqa: PLC0415 (seconds)
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415
    from mlflow.types.schema import AnyType  # noqa: PLC0415

    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = [ColSpec(anything, name, required=False) for name in served.modalities]
    outputs = [ColSpec("float", name) for name in served.info.class_names]
    return ModelSignature(Schema([*inputs]), Schema([*outputs]))


def _example(served: ServedModel) -> pd.DataFrame | None:
    """Return a sample of zeros that lacks all but the first modality; None where that would be a long file."""
    first = served.modalities[0]
    stored = served.info.inputs[first].stored
    if math.prod(stored.shape) > _LARGEST_EXAMPLE:
        return None
    zeros = np.zeros(stored.shape, stored.dtype).tolist()
    return pd.DataFrame({name: [zeros if name == first else None] for name in served.modalities}, dtype=object)
