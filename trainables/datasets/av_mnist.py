"""AV-MNIST: weakened handwritten digits with noisy spoken ones, mixed from the public sets that it is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trainables.api_files import (
    AudioParams,
    Audit,
    DatasetCard,
    FileDataset,
    ImageParams,
    Manifest,
    Reader,
    Sample,
    Tree,
    stratified_split,
)
from trainables.datasets._av_mnist_audio import MixReader, SpectrogramReader
from trainables.datasets._av_mnist_images import DigitReader
from trainables.datasets._av_mnist_parts import SPECTROGRAM_SIDE, Part, generated_parts, mixed_parts
from trainables.params import number, one_of, switch

__all__ = ["AvMnist"]

_MULTIBENCH_SIZES = {"train": 55_000, "val": 5_000, "test": 10_000}
_VALIDATION_SHARE = 1 / 12


@dataclass(frozen=True, kw_only=True)
class AvMnistParams(AudioParams, ImageParams):
    """How digits are made hard, and which of them are for what.

    Attributes:
        form: `mixed` from MNIST, the Free Spoken Digit Dataset and ESC-50; `generated` reads MultiBench's arrays, whose
            spectrograms of 112 x 112 need an encoder for that size.
        noise: factor of the noise's amplitude at the loudness that recordings have.
        normalise: `none` mixes speech as loud as it is; `peak` brings its loudest sample to 1 first.
        speakers: `all`, or `v1.0.8` for the four that the first programs had.
        pairing_seed: of the order in which recordings are given out.
        pca_fit: `train` fits components to the training images; `per_split` to test images too, as MFAS' program does.
        add_mean: add the mean image, which that program leaves out.
        split: `stratified` draws half of MNIST's test part as validation, `contiguous` takes its first half;
            `multibench` takes the last 5,000 training images, and the whole test part as test.
    """

    form: str = one_of("mixed", "generated")
    noise: float = number(0.5, 0, 100)
    normalise: str = one_of("none", "peak")
    speakers: str = one_of("all", "v1.0.8")
    pairing_seed: int = number(0, 0, 2**31 - 1)
    pca_fit: str = one_of("train", "per_split")
    add_mean: bool = switch(default=False)
    split: str = one_of("stratified", "contiguous", "multibench")


class AvMnist(FileDataset):
    """60,000 / 5,000 / 5,000 digits.

    Images keep the principal components whose energy is closest to a quarter: three. Every image hears the next
    recording of its digit and the next of the noises, in a drawn order: recordings 0-39 and ESC-50's classes 0-39 in
    training, the others in validation and test, which share them.
    """

    card = DatasetCard(
        title="AV-MNIST",
        task="digit from a weakened image and noisy speech (10 classes, macro F1)",
        licence="Free Spoken Digit Dataset: CC BY-SA 4.0; ESC-50: CC BY-NC; MNIST: see its page",
        source="MNIST (12 MB), https://github.com/Jakobovski/free-spoken-digit-dataset (21 MB), "
        "https://github.com/karolpiczak/ESC-50 (600 MB, of which 50 files are used)",
        notes="There is no official release. All speakers are in every split; validation and test share recordings. "
        "MMPT, late fusion, macro F1: both 90.7, audio 86.1, image 48.9; experts 85.0 and 49.5.",
    )
    Params = AvMnistParams
    default_encoders = MappingProxyType(
        {"audio": "ast:MIT/ast-finetuned-audioset-10-10-0.4593", "image": "vit:google/vit-base-patch16-224"}
    )
    default_backbone = "tvlt:ZinengTang/tvlt-base"
    presets = MappingProxyType(
        {
            "tiny": MappingProxyType({"image_size": 28, "bands": 32, "frames": 64}),
            "reproduction": MappingProxyType({"speakers": "v1.0.8"}),
        }
    )
    classes = tuple(str(digit) for digit in range(10))
    layout = """
    av_mnist/                                     in any folders:
      mnist/train-images-idx3-ubyte(.gz), train-labels-idx1-ubyte(.gz), t10k-...
      recordings/0_jackson_0.wav, ...             of the Free Spoken Digit Dataset
      ESC-50/meta/esc50.csv, ESC-50/audio/*.wav
    or, with av_mnist.form=generated
      avmnist/image/train_data.npy, test_data.npy   avmnist/audio/train_data.npy, test_data.npy
      avmnist/train_labels.npy, test_labels.npy
    """
    markers = (
        *("recordings", "free-spoken-digit-dataset", "mnist", "MNIST", "train-images-idx3-ubyte"),
        *("train-images-idx3-ubyte.gz", "avmnist", "image/train_data.npy"),
    )
    official_sizes = MappingProxyType({"train": 60_000, "val": 5_000, "test": 5_000})
    groups_may_cross = True

    def readers(self) -> Mapping[str, Reader]:
        """Sound and image."""
        images = DigitReader(self.params, self.params.add_mean)
        if self.params.form == "generated":
            return {"audio": SpectrogramReader(SPECTROGRAM_SIDE), "image": images}
        mixes = MixReader(self.params, self.params.noise, self.params.normalise == "peak")
        return {"audio": mixes, "image": images}

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Walk MNIST's labels in order."""
        for part in self._parts(tree, audit):
            splits = self._splits(part)
            for row, label in enumerate(part.labels):
                media = {"audio": part.sounds[row], "image": part.images[row]}
                yield Sample(_id(part, row), splits[row], label, media, part.groups[row])

    def sizes(self, manifest: Manifest) -> Mapping[str, tuple[int, int | None]]:
        """Return found and expected numbers of samples, the latter by the chosen split."""
        sizes = super().sizes(manifest)
        if self.params.split != "multibench":
            return sizes
        return {split: (found, _MULTIBENCH_SIZES[split]) for split, (found, _) in sizes.items()}

    def _parts(self, tree: Tree, audit: Audit) -> Iterator[Part]:
        if self.params.form == "generated":
            return generated_parts(tree)
        return mixed_parts(
            tree,
            audit,
            first_speakers=self.params.speakers == "v1.0.8",
            seed=self.params.pairing_seed,
            fit_each=self.params.pca_fit == "per_split",
        )

    def _splits(self, part: Part) -> list[str]:
        """Return each row's split."""
        count = len(part.labels)
        if self.params.split == "multibench":
            held_out = round(_VALIDATION_SHARE * count) if part.name == "train" else 0
            return [part.name.replace("t10k", "test")] * (count - held_out) + ["val"] * held_out
        if part.name == "train":
            return ["train"] * count
        if self.params.split == "contiguous":
            return ["val"] * (count // 2) + ["test"] * (count - count // 2)
        labels = {_id(part, row): label for row, label in enumerate(part.labels)}
        halves = stratified_split(labels, {"val": 0.5, "test": 0.5}, key="halves")
        return [halves[_id(part, row)] for row in range(count)]


def _id(part: Part, row: int) -> str:
    return f"{part.name}{row:05d}"
