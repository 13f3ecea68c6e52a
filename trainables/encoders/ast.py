"""Audio spectrogram transformer (Gong et al., 2021): small and random, or published weights through transformers."""

from types import MappingProxyType

from torch import Tensor

from trainables.api import Encoder, InputInfo
from trainables.encoders._transformers_model import check_fits, make_model

__all__ = ["Ast"]

_PATCH = 8


class Ast(Encoder):
    """z is the pooled output, the mean of the [CLS] and distillation states: 768 features for the published model."""

    accepts = ("audio",)
    takes_checkpoint = True
    configurations = MappingProxyType(
        {"tiny": {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}}
    )

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        bands, frames = info.shape
        config = None
        if source is not None and source in self.configurations:
            patch = min(_PATCH, bands, frames)
            config = {
                **self.configurations[source],
                "num_mel_bins": bands,
                "max_length": frames,
                "patch_size": patch,
                "frequency_stride": patch,
                "time_stride": patch,
            }
        self.model = make_model("AST", source, config)
        self.width = self.model.config.hidden_size
        found = self.model.config
        check_fits(source, info, mel_bands=(found.num_mel_bins, bands), frames=(found.max_length, frames))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, bands, frames) to (B, width); the model reads frames first."""
        z: Tensor = self.model(input_values=inputs.transpose(1, 2)).pooler_output
        return z
