"""The contract of a data set that is a folder of files, in one place."""

from trainables.api_data import DatasetCard
from trainables.preparing.audio_reader import AudioParams, AudioReader
from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.image_reader import FramesReader, ImageParams, ImageReader
from trainables.preparing.image_text import ImageTextDataset, ImageTextParams
from trainables.preparing.index_files import (
    MMBT_FILES,
    index_text,
    json_index,
    mmbt_rows,
    tab_rows,
    text_file,
    to_text,
)
from trainables.preparing.manifest import Manifest, Media, Sample
from trainables.preparing.reader import Reader, file_bytes
from trainables.preparing.splitting import stratified_split
from trainables.preparing.text_reader import TextParams, TextReader
from trainables.preparing.tree import RawDataError, Tree
from trainables.preparing.vector_reader import VectorReader
from trainables.preparing.zip_members import read_member

__all__ = [
    "MMBT_FILES",
    "AudioParams",
    "AudioReader",
    "Audit",
    "DatasetCard",
    "FileDataset",
    "FramesReader",
    "ImageParams",
    "ImageReader",
    "ImageTextDataset",
    "ImageTextParams",
    "Manifest",
    "Media",
    "RawDataError",
    "Reader",
    "Sample",
    "TextParams",
    "TextReader",
    "Tree",
    "VectorReader",
    "file_bytes",
    "index_text",
    "json_index",
    "mmbt_rows",
    "read_member",
    "stratified_split",
    "tab_rows",
    "text_file",
    "to_text",
]
