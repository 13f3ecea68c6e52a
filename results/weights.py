"""The weights a store keeps: epoch checkpoints of running trials and models that other trials require."""

from results.files import Files

__all__ = ["CHECKPOINTS", "MODELS", "Weights"]

CHECKPOINTS, MODELS = "checkpoints", "models"


class Weights:
    """A store's safetensors files, `checkpoints/<id>.safetensors` and `models/<id>.safetensors`."""

    files: Files

    def write_checkpoint(self, trial_id: str, data: bytes) -> None:
        """Replace a running trial's epoch checkpoint (safetensors bytes)."""
        self.files.write(data, CHECKPOINTS, f"{trial_id}.safetensors")

    def read_checkpoint(self, trial_id: str) -> bytes | None:
        """Return a trial's epoch checkpoint, or None."""
        return self._read_or_none(CHECKPOINTS, trial_id)

    def checkpoint_ids(self) -> set[str]:
        """Ids of the trials that have an epoch checkpoint."""
        return {name.removesuffix(".safetensors") for name in self.files.names(CHECKPOINTS)}

    def write_model(self, trial_id: str, data: bytes) -> None:
        """Keep a finished trial's weights (safetensors bytes) for the trials that require them."""
        self.files.write(data, MODELS, f"{trial_id}.safetensors")

    def read_model(self, trial_id: str) -> bytes | None:
        """Return a finished trial's weights, or None if they were not kept."""
        return self._read_or_none(MODELS, trial_id)

    def model_ids(self) -> set[str]:
        """Ids of the trials whose weights are kept."""
        return {name.removesuffix(".safetensors") for name in self.files.names(MODELS)}

    def _read_or_none(self, folder: str, trial_id: str) -> bytes | None:
        try:
            return self.files.read(folder, f"{trial_id}.safetensors")
        except FileNotFoundError:
            return None
