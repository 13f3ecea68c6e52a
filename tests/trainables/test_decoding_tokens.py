import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as FastTokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from trainables.decoding.tokens import PretrainedTokenizer, Tokenizer, TokenizerError, Words, open_tokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = ["a", "cat", "##s", "sat", "."]


def bert_folder(folder: Path, vocabulary: list[str]) -> Path:
    """Write a WordPiece tokenizer as BERT's, in the two files that matter."""
    ids = {word: place for place, word in enumerate(vocabulary)}
    fast = FastTokenizer(WordPiece(ids, unk_token="[UNK]"))
    fast.normalizer = BertNormalizer(lowercase=True)
    fast.pre_tokenizer = BertPreTokenizer()
    fast.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")]
    )
    folder.mkdir()
    fast.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bert_folder(tmp_path / "bert", SPECIAL + PIECES)


def test_words_are_the_most_frequent_with_ties_in_alphabetical_order() -> None:
    words = Words.fit(["The cat. The dog!", "A dog, the end"], size=6)
    assert words.vocabulary == ("the", "dog", "!", ",")
    assert words.vocabulary_size == 6
    assert Words.fit(["one"], size=100).vocabulary_size == 3
    assert Words.fit(["one"], size=0).vocabulary == ()


def test_words_are_padded_cut_and_unknown() -> None:
    words = Words(("the", "dog"))
    ids = words.encode(["The dog barks.", "", "dog the dog the dog"], tokens=4)
    assert ids.dtype == np.int32
    assert ids.tolist() == [[2, 3, 1, 1], [0, 0, 0, 0], [3, 2, 3, 2]]
    assert words.encode([], tokens=4).shape == (0, 4)


def test_words_travel_and_are_told_apart() -> None:
    words = Words(("the", "dog"))
    words.encode(["the"], tokens=1)
    again = pickle.loads(pickle.dumps(words))
    assert again == words
    assert again.identity() == words.identity()
    assert len({words.identity(), Words(("dog", "the")).identity(), Words(("thedog",)).identity()}) == 3


@given(st.lists(st.text()), st.integers(0, 9), st.integers(0, 6))
def test_ids_are_within_the_vocabulary(texts: list[str], size: int, tokens: int) -> None:
    words = Words.fit(texts, size)
    ids = words.encode(texts, tokens)
    assert ids.shape == (len(texts), tokens)
    assert words.vocabulary_size <= max(2, size)
    assert ((ids >= 0) & (ids < words.vocabulary_size)).all()


def test_a_pretrained_tokenizer_adds_its_special_tokens(folder: Path) -> None:
    tokenizer: Tokenizer = open_tokenizer(str(folder))
    ids = tokenizer.encode(["A cats sat.", "", "cat dog cat cat cat cat"], tokens=7)
    assert ids.dtype == np.int32
    assert ids.tolist() == [[2, 5, 6, 7, 8, 9, 3], [2, 3, 0, 0, 0, 0, 0], [2, 6, 1, 6, 6, 6, 3]]
    assert tokenizer.encode([], tokens=7).shape == (0, 7)
    assert tokenizer.vocabulary_size == len(SPECIAL) + len(PIECES)


def test_a_pretrained_tokenizer_travels_by_name(folder: Path) -> None:
    tokenizer = open_tokenizer(str(folder))
    data = pickle.dumps(tokenizer)
    assert len(data) < 1_000
    np.testing.assert_array_equal(pickle.loads(data).encode(["a cat"], 5), tokenizer.encode(["a cat"], 5))


def test_a_folder_is_identified_by_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    same = bert_folder(tmp_path / "copy", SPECIAL + PIECES)
    other = bert_folder(tmp_path / "other", [*SPECIAL, *PIECES, "dog"])
    identity = PretrainedTokenizer(str(folder)).identity()
    assert len(identity) == 64
    assert PretrainedTokenizer(str(same)).identity() == identity
    assert PretrainedTokenizer(str(other)).identity() != identity
    (same / "model.safetensors").write_bytes(b"weights")
    assert PretrainedTokenizer(str(same)).identity() == identity
    assert PretrainedTokenizer("bert-base-uncased").identity() == "bert-base-uncased"


def test_a_wrong_name_is_told_at_once(tmp_path: Path) -> None:
    for name in ("no-such-tokenizer-anywhere", str(tmp_path)):
        with pytest.raises(TokenizerError, match=r"cannot be loaded: .+; expected a name on the Hugging Face hub"):
            open_tokenizer(name)


def test_a_damaged_folder_is_told(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(TokenizerError, match="cannot be loaded"):
        open_tokenizer(str(folder))


def test_padding_must_be_zero(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path / "bert", PIECES + SPECIAL)
    with pytest.raises(TokenizerError, match="pads with id 5; expected one that pads with 0"):
        open_tokenizer(str(folder))
