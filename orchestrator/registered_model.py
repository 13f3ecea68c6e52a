"""What MLflow's pyfunc flavour loads of a registered trial; it names this module in the model's own description."""

from pathlib import Path
from typing import Any

import pandas as pd

from trainables.served_model import ServedModel

__all__ = ["RegisteredModel"]


class RegisteredModel:
    """A trial behind `mlflow.pyfunc.load_model`: a frame of modalities in, a frame of logits out.

    Args:
        model: the trial, rebuilt.
    """

    def __init__(self, model: ServedModel) -> None:
        self._model = model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return logits, a column per class.

        Args:
            model_input: a column per modality, an array per sample; None or NaN where a sample lacks it, and a column
                that all lack may be left out.
            params: there are none; MLflow passes this.

        Raises:
            MmptError: what is given does not fit the model; the message says where.
        """
        del params
        inputs = {str(name): model_input[name].tolist() for name in model_input.columns}
        logits = self._model.logits(inputs)
        return pd.DataFrame(logits, index=model_input.index, columns=list(self._model.info.class_names))


def _load_pyfunc(path: str) -> RegisteredModel:
    """Load what `registration.register` wrote; MLflow asks for it by this name."""
    return RegisteredModel(ServedModel(Path(path)))
