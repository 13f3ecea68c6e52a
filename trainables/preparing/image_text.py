"""What all data sets of images with texts have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.image_reader import ImageParams, ImageReader
from trainables.preparing.reader import Reader
from trainables.preparing.text_reader import TextParams, TextReader

__all__ = ["ImageTextDataset", "ImageTextParams"]


@dataclass(frozen=True, kw_only=True)
class ImageTextParams(TextParams, ImageParams):
    """How images and texts are stored."""


class ImageTextDataset(FileDataset):
    """Samples of one image and one text, with the encoders and the backbone of MMPT.

    `Params` must be an `ImageTextParams`.
    """

    Params = ImageTextParams
    default_encoders = MappingProxyType({"image": "vit:google/vit-base-patch16-224", "text": "bert:bert-base-uncased"})
    default_backbone = "vilt:dandelin/vilt-b32-mlm"
    presets = MappingProxyType({"tiny": MappingProxyType({"tokenizer": "words", "tokens": 32, "image_size": 32})})

    def readers(self) -> Mapping[str, Reader]:
        """Image and text."""
        return {"image": ImageReader(self.params), "text": TextReader(self.params)}
