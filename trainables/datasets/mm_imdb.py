"""MM-IMDb: plots and posters of films, 23 genres (Arevalo et al., 2017)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from search_spaces.errors import InvalidValueError
from trainables.api_data import DataInfo
from trainables.api_files import (
    Audit,
    DatasetCard,
    ImageTextDataset,
    ImageTextParams,
    RawDataError,
    Reader,
    Sample,
    TextReader,
    Tree,
    json_index,
)
from trainables.datasets._mm_imdb_hdf5 import HDF5, PosterReader, films
from trainables.params import one_of, switch

__all__ = ["MmImdb"]

_SPLITS = {"train": "train", "dev": "val", "test": "test"}


@dataclass(frozen=True, kw_only=True)
class MmImdbParams(ImageTextParams):
    """How plots are chosen.

    Attributes:
        plot: `longest` (in characters), `first`, `concat` for all of them as one text, or `all`: every plot with the
            poster is a sample, and a film's logits are the mean over them before they are scored.
        mmbt_filter: leave out films of the genre News, as MMBT does.
    """

    plot: str = one_of("longest", "first", "concat", "all")
    mmbt_filter: bool = switch(default=False)


class MmImdb(ImageTextDataset):
    """15,552 / 2,608 / 7,799 films; a film has one or more of 23 genres.

    Genres outside the 23 are ignored; a film without any of them keeps an all-zero target.
    """

    card = DatasetCard(
        title="MM-IMDb",
        task="genres of a film from its plot and its poster (23 labels, macro F1)",
        licence="plots and posters are IMDb's; released for research without an explicit licence",
        source="mmimdb.tar.gz of https://github.com/johnarevalo/gmu-mmimdb, 8.1 GB",
        notes="MMPT, late fusion, macro F1: naive both 59.3, text 59.9, image 24.1; experts 60.8 and 35.5.",
    )
    Params = MmImdbParams
    classes = (
        *("Drama", "Comedy", "Romance", "Thriller", "Crime", "Action", "Adventure", "Horror", "Documentary"),
        *("Mystery", "Sci-Fi", "Fantasy", "Family", "Biography", "War", "History", "Music", "Animation"),
        *("Musical", "Western", "Sport", "Short", "Film-Noir"),
    )
    multi_label = True
    layout = """
    mmimdb/
      split.json               {"train": [...], "dev": [...], "test": [...]}
      dataset/0106714.json     dataset/0106714.jpeg
    or labels/0106714.json and images/0106714.jpeg instead of dataset/
    or multimodal_imdb.hdf5 and metadata.npy, which have the longest plots only, in lower case
    """
    markers = ("split.json", HDF5)
    official_sizes = MappingProxyType({"train": 15_552, "val": 2_608, "test": 7_799})

    def readers(self) -> Mapping[str, Reader]:
        """Posters and plots."""
        return {"image": PosterReader(self.params), "text": TextReader(self.params)}

    def info(self) -> DataInfo:
        """Films are what is scored."""
        return replace(super().info(), scored_by="group")

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow split.json, else the HDF5 file."""
        if not tree.has("split.json"):
            yield from self._rows(tree)
            return
        listed = json_index(tree, "split.json", dict, audit)
        if not set(_SPLITS) <= set(listed):
            raise RawDataError(f"{tree.root / 'split.json'} has no lists train, dev and test")
        for name, split in _SPLITS.items():
            for film in dict.fromkeys(map(str, listed[name])):
                yield from self._film(film, split, tree, audit)

    def _rows(self, tree: Tree) -> Iterator[Sample]:
        if self.params.plot != "longest":
            raise InvalidValueError("mm_imdb.plot", self.params.plot, f"longest: {HDF5} has no other plots")
        if self.params.mmbt_filter:
            raise InvalidValueError("mm_imdb.mmbt_filter", "true", f"false: {HDF5} does not say which films are News")
        yield from films(tree, self.classes)

    def _film(self, film: str, split: str, tree: Tree, audit: Audit) -> Iterator[Sample]:
        record = tree.first(f"dataset/{film}.json", f"labels/{film}.json")
        poster = tree.first(f"dataset/{film}.jpeg", f"images/{film}.jpeg") or f"dataset/{film}.jpeg"
        if record is None:
            audit.add("missing_file", f"dataset/{film}.json")
            return  # without its record a film has no genres
        try:
            about = json_index(tree, record, dict, audit)
        except RawDataError:
            audit.add("bad_row", record)
            return
        genres = [name for name in about.get("genres", ()) if name in self.classes]
        if self.params.mmbt_filter and "News" in about.get("genres", ()):
            return
        for sample_id, plot in self._plots(film, [str(plot) for plot in about.get("plot") or [""]]):
            yield Sample(sample_id, split, genres, {"image": poster, "text": plot}, film)

    def _plots(self, film: str, plots: list[str]) -> list[tuple[str, str]]:
        """Return pairs of a sample's id and its text."""
        if self.params.plot == "all":
            written = [plot for plot in plots if plot.strip()] or plots[:1]
            return [(f"{film}-{number}", plot) for number, plot in enumerate(written)]
        if self.params.plot == "concat":
            return [(film, " ".join(plots))]
        return [(film, max(plots, key=len) if self.params.plot == "longest" else plots[0])]
