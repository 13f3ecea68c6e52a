"""The contract of a data set that is a folder of files, in one place."""

from trainables.api_data import DatasetCard
from trainables.preparing.audio_reader import AudioParams, AudioReader
from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.image_reader import FramesReader, ImageParams, ImageReader
from trainables.preparing.manifest import Media, Sample
from trainables.preparing.reader import Reader, file_bytes
from trainables.preparing.splitting import stratified_split
from trainables.preparing.text_reader import TextParams, TextReader
from trainables.preparing.tree import RawDataError, Tree
from trainables.preparing.vector_reader import VectorReader

__all__ = [
    "AudioParams",
    "AudioReader",
    "Audit",
    "DatasetCard",
    "FileDataset",
    "FramesReader",
    "ImageParams",
    "ImageReader",
    "Media",
    "RawDataError",
    "Reader",
    "Sample",
    "TextParams",
    "TextReader",
    "Tree",
    "VectorReader",
    "file_bytes",
    "stratified_split",
]
