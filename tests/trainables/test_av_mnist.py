"""AV-MNIST: components, mixing, pairing, splits, both forms, and files that are not what they should be."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import raw_av_mnist
import torch
from opened import fingerprint, indexed, opened, samples
from raw_av_mnist import PARAMS, TEST, TRAIN, idx_bytes, images, labels, make_mnist
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from trainables.datasets._av_mnist_audio import mix
from trainables.datasets._av_mnist_images import closest_count, fit_weakening
from trainables.preparing.tree import RawDataError
from trainables.stored_inputs import as_input

KEY = "av_mnist"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw_av_mnist.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def _pairs(root: Path, **params: Any) -> list[tuple[str, str, str, str]]:
    """Id, label, names of recording and noise, in MNIST's order."""
    found = samples(KEY, root, **params).items()
    return sorted(
        (name, str(sample.label), *(path.rpartition("/")[2] for path in sample.media["audio"] or ()))
        for name, sample in found
    )


class TestImages:
    def test_the_count_of_components_comes_closest_to_a_quarter_of_the_energy(self) -> None:
        assert closest_count(np.array([0.100, 0.076, 0.061, 0.055])) == 3  # MNIST's test images
        assert closest_count(np.array([0.097, 0.071, 0.062, 0.054])) == 3  # its training images
        assert closest_count(np.array([0.9, 0.1])) == 1

    def test_small_digits_keep_two(self) -> None:
        weakening = fit_weakening(load_digits().data)
        assert weakening.axes is not None
        assert len(weakening.axes) == 2
        assert weakening.energy == pytest.approx(0.2850936482369928, rel=0, abs=1e-9)

    def test_they_are_the_components_of_scikit_learn_without_the_mean(self) -> None:
        pixels = images("train").reshape(TRAIN, -1)
        weakening = fit_weakening(pixels)
        assert weakening.axes is not None
        expected = PCA(len(weakening.axes), svd_solver="full").fit(pixels)
        weak = expected.transform(pixels) @ expected.components_
        np.testing.assert_allclose(weakening.weak(pixels, add_mean=False), weak, atol=1e-6)
        np.testing.assert_allclose(weakening.weak(pixels, add_mean=True), weak + pixels.mean(axis=0), atol=1e-6)
        assert (weakening.low, weakening.high) == pytest.approx((weak.min(), weak.max()))

    def test_grey_goes_from_the_darkest_to_the_brightest_training_pixel(self) -> None:
        pixels = images("train").reshape(TRAIN, -1)
        grey = fit_weakening(pixels).grey(pixels, add_mean=False)
        assert (grey.min(), grey.max()) == (0, 255)

    def test_every_row_is_its_own_image(self, root: Path) -> None:
        raw = opened(KEY, root, **PARAMS).load()
        weakening = fit_weakening(images("train").reshape(TRAIN, -1))
        for name, pixels, label in zip(raw.sample_ids, raw.inputs["image"], raw.targets, strict=True):
            part, row = name[:-5], int(name[-5:])
            expected = weakening.grey(images(part)[row].reshape(1, -1), add_mean=False).reshape(1, 28, 28)
            np.testing.assert_array_equal(pixels, expected)
            assert label == labels(part)[row]

    def test_components_may_be_those_of_each_part_and_keep_the_mean(self, root: Path) -> None:
        def test_images(**params: Any) -> Any:
            raw = opened(KEY, root, **PARAMS, **params).load()
            return raw.inputs["image"][np.array(raw.splits) == "test"]

        literal = fit_weakening(images("t10k").reshape(TEST, -1))
        first = min(name for name, sample in samples(KEY, root).items() if sample.split == "test")
        expected = literal.grey(images("t10k")[int(first[-5:])].reshape(1, -1), add_mean=False)
        np.testing.assert_array_equal(test_images(pca_fit="per_split")[0].ravel(), expected[0])
        assert (test_images(add_mean=True) != test_images()).any()


class TestMixing:
    SPEECH = np.array([0.1, -0.2, 0.05, 0.0], np.float32)
    NOISE = np.array([1.0, -1.0, 0.5, 0.25, 0.75], np.float32)

    def test_noise_is_scaled_by_amplitude_and_nothing_else_happens(self) -> None:
        np.testing.assert_allclose(mix(self.SPEECH, self.NOISE, 0.5), [0.6, -0.7, 0.3, 0.125], atol=1e-7)

    def test_sums_beyond_one_are_not_clipped(self) -> None:
        np.testing.assert_allclose(mix(self.SPEECH, self.NOISE, 2.0), [2.1, -2.2, 1.05, 0.5], atol=1e-6)

    def test_speech_is_cut_to_shorter_noise(self) -> None:
        np.testing.assert_allclose(mix(self.SPEECH, self.NOISE[:2], 0.5), [0.6, -0.7], atol=1e-7)

    def test_speech_alone_can_be_brought_to_one_loudness(self) -> None:
        mixed = mix(self.SPEECH, self.NOISE, 0.5, to_peak=True)
        np.testing.assert_allclose(mixed, [1.0, -1.5, 0.5, 0.125], atol=1e-6)

    def test_noise_and_loudness_change_what_is_heard(self, root: Path) -> None:
        heard = [
            opened(KEY, root, **PARAMS, **params).load().inputs["audio"]
            for params in ({}, {"noise": 0.0}, {"normalise": "peak"})
        ]
        assert heard[0].shape == (TRAIN + TEST, 16, 32)
        assert (heard[0] != heard[1]).any()
        assert (heard[0] != heard[2]).any()


class TestPairing:
    def test_every_digit_hears_its_own_digit_in_turn(self, root: Path) -> None:
        pairs = [pair for pair in _pairs(root) if pair[0].startswith("train")]
        assert all(label == recording[0] for _, label, recording, _ in pairs)
        zeros = [recording for _, label, recording, _ in pairs if label == "0"]
        assert len(set(zeros[:4])) == 4
        assert zeros[4:] == zeros[: len(zeros) - 4]

    def test_noises_go_round_in_the_order_of_their_classes(self, root: Path) -> None:
        def classes(part: str) -> list[int]:
            names = [noise for name, _, _, noise in _pairs(root) if name.startswith(part)]
            return [int(name.removesuffix(".wav").rpartition("-")[2]) for name in names]

        assert classes("train") == list(range(TRAIN))
        assert classes("t10k") == [40 + place % 10 for place in range(TEST)]

    def test_no_recording_or_noise_of_training_is_in_validation_or_test(self, root: Path) -> None:
        found = samples(KEY, root).values()
        heard = {
            split: {
                path for sample in found if (sample.split == "train") == split for path in sample.media["audio"] or ()
            }
            for split in (True, False)
        }
        assert not heard[True] & heard[False]

    def test_only_the_seed_changes_the_order(self, root: Path, tmp_path: Path) -> None:
        before = _pairs(root)
        assert _pairs(root, pairing_seed=1) != before
        assert fingerprint(KEY, root, pairing_seed=1) != fingerprint(KEY, root)
        (root / "speech").mkdir()
        shutil.move(root / "recordings", root / "speech" / "recordings")
        assert _pairs(root) == before

    def test_the_first_release_had_four_speakers(self, root: Path) -> None:
        assert {recording.split("_")[1] for _, _, recording, _ in _pairs(root, speakers="v1.0.8")} == {"theo"}
        assert {recording.split("_")[1] for _, _, recording, _ in _pairs(root)} == {"theo", "george"}

    def test_a_digit_without_recordings_and_a_class_without_noise_are_named(self, root: Path) -> None:
        for path in (root / "recordings").glob("3_*_4?.wav"):
            path.unlink()
        with pytest.raises(RawDataError, match="no recording 40 to 49 of the digit 3"):
            indexed(KEY, root)
        shutil.copyfile(root / "recordings" / "3_theo_0.wav", root / "recordings" / "3_theo_40.wav")
        (root / "ESC-50" / "audio" / "2-151-A-49.wav").unlink()
        with pytest.raises(RawDataError, match="no readable recording of ESC-50's class 49"):
            indexed(KEY, root)
        (root / "ESC-50" / "meta" / "esc50.csv").unlink()
        with pytest.raises(RawDataError, match=r"no meta/esc50\.csv"):
            indexed(KEY, root)


class TestSplits:
    def test_halves_are_drawn_within_every_digit(self, root: Path) -> None:
        found = samples(KEY, root).items()
        for digit in "012":
            halves = [s.split for name, s in found if name.startswith("t10k") and s.label == digit]
            assert sorted(halves) == ["test", "test", "val", "val"]

    def test_halves_can_be_contiguous(self, root: Path) -> None:
        found = samples(KEY, root, split="contiguous")
        assert {name for name, s in found.items() if s.split == "val"} == {f"t10k{row:05d}" for row in range(TEST // 2)}

    def test_multibench_validates_on_the_last_training_images(self, root: Path) -> None:
        dataset = opened(KEY, root, split="multibench")
        manifest, _ = dataset.manifest()
        assert dataset.sizes(manifest) == {"train": (18, 55_000), "val": (2, 5_000), "test": (12, 10_000)}
        assert {s.sample_id for s in manifest.samples if s.split == "val"} == {"train00018", "train00019"}


class TestIdxFiles:
    def test_packed_and_unpacked_files_are_the_same(self, root: Path) -> None:
        before = fingerprint(KEY, root)
        shutil.rmtree(root / "mnist")
        make_mnist(root / "MNIST" / "raw", packed=False)
        assert fingerprint(KEY, root) == before

    @pytest.mark.parametrize("packed", [True, False])
    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda data: idx_bytes(np.zeros(3, np.uint8), 2050), "magic number is 2050, expected 2051"),
            (lambda data: data[:-1], r"bytes of 15680 are there"),
            (lambda data: data[:2] + b"\x08\x03" + b"\xff" * 12 + data[16:], r"asks for \d+ bytes"),
            (lambda data: data[:3], "is no idx file of images: unpack"),
        ],
    )
    def test_a_wrong_file_is_named(self, root: Path, packed: bool, damage: Any, message: str) -> None:
        shutil.rmtree(root / "mnist")
        make_mnist(root / "mnist", packed=packed)
        path = root / "mnist" / f"train-images-idx3-ubyte{'.gz' if packed else ''}"
        data = damage(idx_bytes(images("train"), 2051))
        path.write_bytes(gzip.compress(data) if packed else data)
        with pytest.raises(RawDataError, match=f"train-images-idx3-ubyte.*{message}"):
            indexed(KEY, root)

    def test_a_packed_file_that_is_cut_is_named(self, root: Path) -> None:
        path = root / "mnist" / "t10k-labels-idx1-ubyte.gz"
        path.write_bytes(path.read_bytes()[:-12])
        with pytest.raises(RawDataError, match=r"t10k-labels-idx1-ubyte\.gz is no idx file of labels"):
            indexed(KEY, root)

    def test_labels_of_another_part_are_named(self, root: Path) -> None:
        shutil.copyfile(root / "mnist" / "t10k-labels-idx1-ubyte.gz", root / "mnist" / "train-labels-idx1-ubyte.gz")
        with pytest.raises(RawDataError, match=r"train-labels-idx1-ubyte\.gz has 12 rows, expected 20"):
            indexed(KEY, root)

    def test_two_copies_are_no_choice_of_ours(self, root: Path) -> None:
        make_mnist(root / "FashionMNIST" / "raw", packed=True)
        with pytest.raises(RawDataError, match=r"should have one train-images-idx3-ubyte.*found FashionMNIST/"):
            indexed(KEY, root)


class TestGenerated:
    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        generator = np.random.default_rng(0)
        folder = tmp_path / "avmnist"
        for kind in ("image", "audio"):
            (folder / kind).mkdir(parents=True)
        for part, stem in (("train", "train"), ("t10k", "test")):
            count = len(labels(part))
            np.save(folder / "image" / f"{stem}_data.npy", generator.normal(0, 60, (count, 784)))
            np.save(folder / "audio" / f"{stem}_data.npy", generator.integers(0, 256, (count, 112, 112), np.uint8))
            np.save(folder / f"{stem}_labels.npy", labels(part).astype(np.int64))
        return folder

    def test_arrays_are_read_as_they_are(self, copy: Path) -> None:
        dataset = opened(KEY, copy, form="generated", image_size=28)
        assert dataset.info().inputs["audio"].shape == (112, 112)
        raw = dataset.load()
        train = np.load(copy / "image" / "train_data.npy")
        heard = np.load(copy / "audio" / "test_data.npy")
        for name, image, sound in zip(raw.sample_ids, raw.inputs["image"], raw.inputs["audio"], strict=True):
            row = int(name[-5:])
            if name.startswith("train"):
                share = (train[row] - train.min()) / (train.max() - train.min())
                np.testing.assert_array_equal(image.ravel(), np.rint(255 * share))
            else:
                np.testing.assert_array_equal(sound, heard[row])
        assert {split: size for split, (size, _) in dataset.sizes(dataset.manifest()[0]).items()} == raw_av_mnist.SIZES

    def test_it_may_lie_in_a_folder(self, copy: Path) -> None:
        here = fingerprint(KEY, copy, form="generated")
        assert fingerprint(KEY, copy.parent, form="generated") == here

    @pytest.mark.parametrize(
        ("name", "array", "message"),
        [
            ("image/train_data.npy", np.zeros((20, 100)), r"train_data\.npy is no npy file of 784 numbers a row"),
            ("audio/test_data.npy", np.zeros((3, 112, 112)), r"audio/test_data\.npy has 3 rows, expected 12"),
            ("test_labels.npy", np.array([{}] * 12, object), r"test_labels\.npy is no npy file"),
        ],
    )
    def test_a_wrong_array_is_named(self, copy: Path, name: str, array: Any, message: str) -> None:
        np.save(copy / name, array)
        with pytest.raises(RawDataError, match=message):
            indexed(KEY, copy, form="generated")

    def test_the_other_form_is_named(self, copy: Path, root: Path) -> None:
        with pytest.raises(RawDataError, match=r"av_mnist\.form=generated"):
            indexed(KEY, copy)
        with pytest.raises(RawDataError, match=r"image/train_data\.npy; there is none"):
            indexed(KEY, root, form="generated")


def test_one_stored_channel_becomes_three_equal_ones(root: Path) -> None:
    info = opened(KEY, root, **PARAMS).info().inputs["image"]
    assert info.stored.shape == (1, 28, 28)
    pixels = as_input(torch.tensor([0, 255], dtype=torch.uint8).repeat(392).view(1, 1, 28, 28), info)
    assert pixels.shape == (1, 3, 28, 28)
    torch.testing.assert_close(pixels[0, :, 0, :2], torch.tensor([[-1.0, 1.0]] * 3))


def test_readers_need_no_torch() -> None:
    names = "_av_mnist_audio", "_av_mnist_images"
    code = "; ".join(
        [*(f"import trainables.datasets.{name}" for name in names), "import sys; print('torch' in sys.modules)"]
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
