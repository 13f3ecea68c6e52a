"""The contract of a data set that is a folder of files in an official layout."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from search_spaces.catalog import snake_case
from trainables.api_data import DataInfo, Dataset, RawData
from trainables.preparing.audit import Audit
from trainables.preparing.filling import read_samples
from trainables.preparing.index_memo import remembered_digest
from trainables.preparing.manifest import Manifest, Sample
from trainables.preparing.presence import named_twice, what_is_there
from trainables.preparing.reader import Reader, fitted_readers
from trainables.preparing.roots import known_root
from trainables.preparing.tree import RawDataError, Tree
from trainables.raw_data_checks import check_index

__all__ = ["FileDataset"]


class FileDataset(Dataset):
    """A data set of files: `index` lists its samples without decoding any, `readers` say how each modality is read.

    What identifies it is the list itself (ids, splits, labels, texts, sizes of files), not where it lies or in which
    of several layouts.

    Attributes:
        root: folder of the raw files; found when it is first needed, see `trainables.preparing.roots`.
    """

    classes: ClassVar[tuple[str, ...]]
    """Names of the classes; their order is the numbers' order, for ever."""
    multi_label: ClassVar[bool] = False
    layout: ClassVar[str]
    """The expected tree, shown when another one is found."""
    markers: ClassVar[tuple[str, ...]]
    """Relative files or folders, each of which tells that a folder is this data set."""
    official_sizes: ClassVar[Mapping[str, int]] = MappingProxyType({})
    """split -> number of samples of the official release."""
    max_missing: ClassVar[float] = 0.005
    """Preparing refuses if more than this share of a modality's listed files cannot be used."""
    max_duplicates: ClassVar[float] = 0.0
    """Preparing refuses if more than this share of validation and test samples is identical to one in another split."""
    groups_may_cross: bool = False
    """True if the official split itself puts one group into several splits."""

    root: Path | None = None
    _seen: Tree | None = None
    _indexed: tuple[tuple[Path, str], Manifest, Audit] | None = None

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        """Those that have a default encoder."""
        return tuple(sorted(cls.default_encoders))

    @abstractmethod
    def readers(self) -> Mapping[str, Reader]:
        """Return how each modality is read."""

    @abstractmethod
    def index(self, tree: Tree, audit: Audit) -> Iterable[Sample]:
        """List every sample of every split; record what is wrong in `audit`.

        A file that is not there may be named: it is found out and recorded here. Labels outside `classes`, ids that a
        split has already, and samples of which nothing is there are left out and recorded, too.

        Raises:
            RawDataError: an index file is not there or cannot be understood.
        """

    def info(self) -> DataInfo:
        """Shapes and classes, as the readers say."""
        inputs = {name: reader.info() for name, reader in sorted(self.readers().items())}
        return DataInfo(dataset=self.key(), inputs=inputs, class_names=self.class_names(), multi_label=self.multi_label)

    def content(self) -> Mapping[str, str]:
        """The index's hash, remembered as long as no file of the folder changes, and those of the readers."""
        tree = self._seen = self.tree()  # first, since a wrong folder is the likeliest mistake
        own = {name: value for reader in self.readers().values() for name, value in reader.content().items()}
        return {"index": remembered_digest(self, tree), **own}

    def load(self) -> RawData:
        """Decode everything in this process and in memory: for small data sets, without a cache."""
        manifest, _ = self.manifest()
        readers = fitted_readers(self.readers(), manifest.samples)
        count = len(manifest.samples)
        inputs = {
            name: np.zeros((count, *one.info().stored.shape), one.info().stored.dtype) for name, one in readers.items()
        }
        present = {name: np.zeros(count, np.bool_) for name in readers}
        for one in read_samples(readers, manifest.samples, self.tree().root):
            inputs[one.modality][one.row], present[one.modality][one.row] = one.values, one.is_present
        return RawData(
            sample_ids=[sample.sample_id for sample in manifest.samples],
            splits=[sample.split for sample in manifest.samples],
            groups=[sample.group for sample in manifest.samples],
            targets=self.targets(manifest),
            inputs=inputs,
            present=present,
        )

    def tree(self) -> Tree:
        """List the raw folder.

        Raises:
            RawDataError: it is unknown, not there, or something else.
        """
        return Tree.find(self.raw_folder(), self.markers, self.layout, self.card.title)

    def listing(self) -> Tree:
        """Return the tree that `content` saw, so that what is prepared is what was fingerprinted; else list it now."""
        return self._seen or self.tree()

    def raw_folder(self) -> Path:
        """Return where the raw files are, without looking whether they are.

        Raises:
            RawDataError: nobody has said.
        """
        return self.root or known_root(self.key(), self.card.title, self.layout)

    def manifest(self, tree: Tree | None = None) -> tuple[Manifest, Audit]:
        """Index the raw folder and check what can be checked without decoding.

        Raises:
            RawDataError: nothing was found, or an index file is wrong.
            InvalidDataError: ids occur twice, a split is empty, or a group is in two splits.
        """
        tree = tree or self.tree()
        state = (tree.root, tree.signature)
        if self._indexed is None or self._indexed[0] != state:
            self._indexed = (state, *self._index(tree))
        _, manifest, audit = self._indexed
        return manifest, audit.copy()

    def _index(self, tree: Tree) -> tuple[Manifest, Audit]:
        audit = tree.audit()
        readers = self.readers()
        found = [what_is_there(sample, readers, tree, audit) for sample in self._usable(tree, audit)]
        kept = [pair for pair in found if any(value is not None for value in pair[0].media.values())]
        left = {id(sample) for sample, _ in kept}
        audit.extend(("nothing_left", sample.sample_id) for sample, _ in found if id(sample) not in left)
        if not kept:
            raise RawDataError(f"no sample of {self.card.title} was found in {tree.root}")
        manifest = Manifest.of(kept)
        audit.extend(("dup_path", path) for path in sorted(named_twice(manifest.samples, readers)))
        groups = [] if self.groups_may_cross else [sample.group for sample in manifest.samples]
        check_index(self.key(), [s.sample_id for s in manifest.samples], [s.split for s in manifest.samples], groups)
        return manifest, audit

    def class_names(self) -> tuple[str, ...]:
        """Return `classes`, or those of them that the parameters leave."""
        return self.classes

    def expected_sizes(self) -> Mapping[str, int]:
        """Return `official_sizes`, or those of the variant that the parameters choose."""
        return self.official_sizes

    def targets(self, manifest: Manifest) -> npt.NDArray[np.int64]:
        """Return class numbers (N,), or zeros and ones (N, C)."""
        numbers = {name: number for number, name in enumerate(self.class_names())}
        if not self.multi_label:
            return np.array([numbers[str(sample.label)] for sample in manifest.samples], np.int64)
        targets = np.zeros((len(manifest.samples), len(numbers)), np.int64)
        for row, sample in enumerate(manifest.samples):
            targets[row, [numbers[name] for name in sample.label]] = 1
        return targets

    def sizes(self, manifest: Manifest) -> Mapping[str, tuple[int, int | None]]:
        """Return split -> (samples found, samples of the official release if there is one)."""
        found = Counter(sample.split for sample in manifest.samples)
        expected = self.expected_sizes()
        return {split: (found[split], expected.get(split)) for split in ("train", "val", "test")}

    def _usable(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Yield the samples of known classes, each id once per split."""
        known = set(self.class_names())
        listed = set()
        for sample in self.index(tree, audit):
            labels = {sample.label} if isinstance(sample.label, str) else set(sample.label)
            if (sample.split, sample.sample_id) in listed:
                audit.add("dup_id", sample.sample_id)
            elif labels <= known:
                listed.add((sample.split, sample.sample_id))
                yield sample
            else:
                audit.add("unknown_label", sample.sample_id)

    @classmethod
    def key(cls) -> str:
        """Return its name in specs."""
        return snake_case(cls.__name__)
