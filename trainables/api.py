"""The contracts in one place: what a data set, an encoder, a fusion and a training method are."""

from trainables.api_card import MethodCard
from trainables.api_data import DataInfo, Dataset, DatasetCard, InputInfo, RawData
from trainables.api_fusion import Fusion
from trainables.api_method import Method, Term
from trainables.api_model import Backbone, Batch, Encoder, Features
from trainables.api_rehearsal import Rehearsal, Rehearsed

__all__ = [
    "Backbone",
    "Batch",
    "DataInfo",
    "Dataset",
    "DatasetCard",
    "Encoder",
    "Features",
    "Fusion",
    "InputInfo",
    "Method",
    "MethodCard",
    "RawData",
    "Rehearsal",
    "Rehearsed",
    "Term",
]
