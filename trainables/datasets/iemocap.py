"""IEMOCAP: emotions in dialogues of two from speech, words and faces (Busso et al., 2008)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from search_spaces.errors import InvalidValueError
from trainables.api_files import (
    AudioParams,
    AudioReader,
    Audit,
    DatasetCard,
    FileDataset,
    ImageParams,
    ImageReader,
    Media,
    RawDataError,
    Reader,
    Sample,
    TextParams,
    TextReader,
    Tree,
)
from trainables.datasets._iemocap_faces import faces_of, middle_frame, speaker_letter
from trainables.datasets._iemocap_utterances import (
    CLASSES,
    PICKLE,
    RELEASE,
    Utterance,
    from_mla,
    from_mmin,
    from_pickle,
    from_release,
    is_name,
)
from trainables.datasets._iemocap_vectors import gcnet_folders, gcnet_media, gcnet_readers, mmin_files, mmin_readers
from trainables.params import number, one_of

__all__ = ["Iemocap"]

_SESSION_SIZES = (1085, 1023, 1151, 1031, 1241)
_MLA_SIZES = MappingProxyType({"train": 3318, "val": 1106, "test": 1107})
_BYTES_PER_SECOND, _SLACK_SECONDS = 32_000, 0.5  # 16 kHz, 16 bits


@dataclass(frozen=True, kw_only=True)
class IemocapParams(TextParams, ImageParams, AudioParams):
    """What is read, and which sessions are for what.

    Attributes:
        features: `gcnet` for the vectors that GCNet publishes, `raw` for the release's sound and words, `mmin` for the
            mean over time of the sequences that MMIN publishes, in the folds of MMIN.
        visual: what `raw` sees: `features` (GCNet's) or `frames` (the middle one of the face crops of a clip).
        split: `session_loso` leaves one session out; `mla_random` is MLA's own, in which speakers and dialogues are in
            several splits, so that its scores are too good; `mmin` is one of MMIN's ten folds, as its files have it.
        fold: the session that is tested on; the next one, cyclically, is for validation. With `mmin` its own number.
        tokens: the most that are kept of a text.
    """

    features: str = one_of("gcnet", "raw", "mmin")
    visual: str = one_of("features", "frames")
    split: str = one_of("session_loso", "mla_random", "mmin")
    fold: int = number(1, 1, 10)
    tokens: int = number(256, 1, 8192)


class Iemocap(FileDataset):
    """5,531 utterances of ten actors in five sessions of 1,085 / 1,023 / 1,151 / 1,031 / 1,241.

    Excited counts as happy. Utterances of other emotions, and those on whose emotion the raters do not agree, are left
    out. GCNet validates on the session that it tests on; here validation is another session.
    """

    card = DatasetCard(
        title="IEMOCAP",
        task="emotion of an utterance from speech, words and face (4 classes, accuracy)",
        licence="signed release form of USC SAIL; redistribution is forbidden",
        source="IEMOCAP_full_release.tar.gz (12 to 18 GB), https://sail.usc.edu/iemocap; GCNet's features, "
        "https://github.com/zeroQiaoba/GCNet; MMIN's, https://github.com/AIM3-RUC/MMIN",
        notes="MLA, mla_random, accuracy: concatenation 75.9, MLA 78.9. At missing rates 0.1 to 0.7 MLA has 75.1, "
        "72.3, 68.5, 67.0, 63.5, 59.2, 55.9, MMIN 71.8 to 55.4. With mla_random speakers are in several splits. "
        "features=mmin needs split=mmin: ten folds, as large as its files say; an utterance is the mean of its frames, "
        "sound standardised by the fold. The default encoders are for features; features=raw needs others, such as "
        "encoder.audio=ast:..., encoder.text=bert:bert-base-uncased.",
    )
    Params = IemocapParams
    default_encoders = MappingProxyType(dict.fromkeys(("audio", "text", "visual"), "mlp_tiny"))
    presets = MappingProxyType(
        {"tiny": MappingProxyType({"tokenizer": "words", "tokens": 32, "image_size": 32, "bands": 32, "frames": 64})}
    )
    classes = CLASSES
    layout = """
    IEMOCAP_full_release/Session1/ ... Session5/   (or the sessions themselves)
      dialog/EmoEvaluation/Ses01F_impro01.txt      labels; or IEMOCAP_features_raw_4way.pkl of GCNet beside features/
      dialog/transcriptions/Ses01F_impro01.txt     features=raw: texts
      sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav      features=raw: sound
    features/wav2vec-large-c-UTT/Ses01F_impro01_F000.npy        features=gcnet: sound (512)
    features/deberta-large-4-UTT/Ses01F_impro01_F000.npy        features=gcnet: text (1024)
    features/manet_UTT/Ses01F_impro01_F000.npy     faces (1024); or a folder of that name with one npy per face, F or M
    frames/Ses01F_impro01_F000/*.jpg               visual=frames: face crops
    train.txt, val.txt, test.txt                   split=mla_random: MLA's lists
    target/1/trn_label.npy, trn_int2name.npy, val_..., tst_...  split=mmin, here or in IEMOCAP_features_2021/
    A/comparE.h5, A/comparE_mean_std.h5, L/bert_large.h5, V/denseface.h5      features=mmin: beside target/
    """
    markers = (
        *(f"{base}Session1/dialog" for base in RELEASE),
        *(PICKLE, "features/wav2vec-large-c-UTT", "manet_UTT", "target/1", "IEMOCAP_features_2021/target/1"),
    )
    official_sizes = MappingProxyType({"train": 3423, "val": 1023, "test": 1085})
    max_missing = 0.05  # clips without a face are part of it

    def __init__(self, params: IemocapParams) -> None:
        super().__init__(params)
        _check(params)
        self.groups_may_cross = params.split != "session_loso"

    def readers(self) -> Mapping[str, Reader]:
        """Vectors, or spectrogram, words and a frame."""
        if self.params.features == "mmin":
            return mmin_readers(self.params.fold)
        if self.params.features == "gcnet":
            return gcnet_readers()
        visual = ImageReader(self.params) if self.params.visual == "frames" else gcnet_readers()["visual"]
        return {"audio": AudioReader(self.params), "text": TextReader(self.params), "visual": visual}

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Read the labels from the release, else from GCNet's pickle; with their splits from MLA's or MMIN's files."""
        places: dict[str, set[str]] = {}
        base = next((base for base in RELEASE if tree.has_folder(f"{base}Session1/dialog")), "")
        folders = gcnet_folders(tree)
        sequences = mmin_files(tree, self.params.fold) if self.params.features == "mmin" else {}
        for utterance in self._utterances(tree, base, audit):
            if not is_name(utterance.name):
                audit.add("unknown_label", utterance.name)
                continue
            speaker = f"{utterance.name[:5]}{speaker_letter(utterance.name)}"
            split = utterance.split or self._split(utterance.name)
            places.setdefault(speaker, set()).add(split)
            group = speaker if self.groups_may_cross else utterance.name[:5]
            if self.params.features == "mmin":
                media: dict[str, Media] = {modality: (path, utterance.name) for modality, path in sequences.items()}
            elif self.params.features == "gcnet":
                media = gcnet_media(utterance.name, folders, tree, audit)
            else:
                visual = self._visual(utterance.name, folders["visual"], tree, audit)
                media = {"audio": _wav(utterance, base, tree, audit), "text": utterance.text, "visual": visual}
            yield Sample(utterance.name, split, utterance.label, media, group)
        audit.extend(("cross_split_group", speaker) for speaker in sorted(places) if len(places[speaker]) > 1)

    def expected_sizes(self) -> Mapping[str, int]:
        """Sizes of the chosen split."""
        if self.params.split != "session_loso":
            return _MLA_SIZES if self.params.split == "mla_random" else {}
        test, val = _SESSION_SIZES[self.params.fold - 1], _SESSION_SIZES[self.params.fold % 5]
        return {"train": sum(_SESSION_SIZES) - test - val, "val": val, "test": test}

    def _utterances(self, tree: Tree, base: str, audit: Audit) -> Iterator[Utterance]:
        if self.params.split == "mla_random":
            return from_mla(tree, audit)
        if self.params.split == "mmin":
            return from_mmin(tree, self.params.fold)
        if tree.has_folder(f"{base}Session1/dialog/EmoEvaluation"):
            return from_release(tree, base, audit, with_texts=self.params.features == "raw")
        path = tree.first(PICKLE, f"features/{PICKLE}")
        if path is None:
            raise RawDataError(f"{tree.root} has neither dialog/EmoEvaluation in its sessions nor {PICKLE}")
        return from_pickle(tree, path)

    def _split(self, name: str) -> str:
        session = int(name[3:5])
        if session == self.params.fold:
            return "test"
        return "val" if session == self.params.fold % 5 + 1 else "train"

    def _visual(self, name: str, folder: str, tree: Tree, audit: Audit) -> Media:
        frames = self.params.visual == "frames"
        return middle_frame(name, tree, audit) if frames else faces_of(folder, name, tree, audit)


def _check(params: IemocapParams) -> None:
    """Refuse settings that do not go together.

    Raises:
        InvalidValueError: MMIN's sound is standardised by its folds, which say nothing of texts or of other folds.
    """
    if params.split != "mmin" and params.fold > len(_SESSION_SIZES):
        raise InvalidValueError("iemocap.fold", params.fold, "an integer in [1, 5], or iemocap.split=mmin")
    if params.split != "mmin" and params.features == "mmin":
        raise InvalidValueError("iemocap.split", params.split, "mmin, since iemocap.features=mmin")
    if params.split == "mmin" and params.features == "raw":
        raise InvalidValueError("iemocap.features", "raw", "mmin or gcnet: iemocap.split=mmin has no texts")


def _wav(utterance: Utterance, base: str, tree: Tree, audit: Audit) -> str:
    name = utterance.name
    path = f"{base}Session{int(name[3:5])}/sentences/wav/{name.rpartition('_')[0]}/{name}.wav"
    fewest_bytes = (utterance.seconds - _SLACK_SECONDS) * _BYTES_PER_SECOND
    if tree.has(path) and tree.sizes[path] < fewest_bytes:
        audit.add("cut_audio", path)
    return path
