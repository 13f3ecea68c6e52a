"""BERT (Devlin et al., 2019): small and random, or published weights through transformers."""

from types import MappingProxyType

from torch import Tensor

from search_spaces.errors import InvalidValueError
from trainables.api import Encoder, InputInfo
from trainables.encoders._transformers_model import check_fits, make_model

__all__ = ["Bert"]

_PADDING = 0


class Bert(Encoder):
    """z is the final state of the first token: 768 features for the published base model. Token id 0 is padding."""

    accepts = ("text",)
    takes_checkpoint = True
    configurations = MappingProxyType(
        {"tiny": {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}}
    )

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        (tokens,) = info.shape
        config = None
        if source is not None and source in self.configurations:
            config = {
                **self.configurations[source],
                "vocab_size": info.vocabulary_size,
                "max_position_embeddings": tokens,
                "pad_token_id": _PADDING,
            }
        self.model = make_model("Bert", source, config, add_pooling_layer=False)
        self.width = self.model.config.hidden_size
        check_fits(source, info, vocabulary=(self.model.config.vocab_size, info.vocabulary_size))
        longest = self.model.config.max_position_embeddings
        if tokens > longest:
            allowed = f"a checkpoint for {tokens} tokens; this one reads at most {longest}"
            raise InvalidValueError("encoder", source, allowed)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map token ids (B, tokens) to (B, width); padding is not attended to, the first token always is."""
        visible = inputs != _PADDING
        visible[:, 0] = True
        z: Tensor = self.model(input_ids=inputs, attention_mask=visible.long()).last_hidden_state[:, 0]
        return z
