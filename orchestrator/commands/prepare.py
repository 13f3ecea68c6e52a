"""Check a data set's raw files and turn them, once per machine, into the cache that trials read."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from orchestrator.commands._options import parse_value, shared_cache_option
from results.files import absolute_root
from search_spaces.errors import InvalidValueError
from search_spaces.spec import Value
from trainables.api_data import Dataset
from trainables.cache_root import default_cache_root, default_shared_cache
from trainables.dataset_identity import build_dataset, compute_fingerprint
from trainables.own_data import register_own
from trainables.preparing.building import AUDIT, BuildOptions, audit_files, start_early
from trainables.preparing.building import Progress as Told
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.roots import remember_root

__all__ = ["command"]


@click.command()
@click.argument("dataset")
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the raw files; remembered for later sweeps.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Table of your own data, which DATASET then names.")
@click.option("--modality", "modalities", multiple=True, help="Column of a saved Hugging Face folder; by default all.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of prepared data; by default $MMPT_CACHE.")
@shared_cache_option
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the data set.")
@click.option("--max-missing", type=click.FloatRange(0, 1), help="Share of a modality's files that may be unusable.")
@click.option(
    "--max-duplicates", type=click.FloatRange(0, 1), help="Share of held-out samples that may be in another split, too."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes; by default one per core.")
@click.option("--dry-run", is_flag=True, help="Read and check every file, write no cache.")
def command(
    dataset: str,
    root: Path | None,
    manifest: Path | None,
    modalities: tuple[str, ...],
    cache: Path | None,
    shared_cache: str | None,
    settings: tuple[str, ...],
    max_missing: float | None,
    max_duplicates: float | None,
    workers: int | None,
    *,
    dry_run: bool,
) -> int:
    """Check the raw files of DATASET and decode them into the cache.

    Trials do the same by themselves if the cache is missing; afterwards they find the files without being told. Calling
    it again costs nothing, and after a kill it goes on where it was.

    \b
      mmpt prepare mm_imdb --root /data/mmimdb --dry-run
      mmpt prepare mm_imdb --root /data/mmimdb
      mmpt prepare mm_imdb --set image_size=384
      mmpt prepare my_films --root /data/films --manifest films.csv
      mmpt run mmpt_late --set dataset=mm_imdb
    """
    console = Console()
    folder = (cache or default_cache_root()).absolute()
    if not dry_run:
        start_early(folder, BuildOptions(workers=workers))
    register_own(dataset, root, manifest, modalities)
    opened = build_dataset(dataset, dict(_setting(dataset, text) for text in settings))
    if isinstance(opened, FileDataset):
        opened.root = root
    elif root is not None:
        raise InvalidValueError("--root", str(root), f"no folder: {dataset} is not made of files")
    with _progress(console) as told:
        options = BuildOptions(workers=workers, max_missing=max_missing, max_duplicates=max_duplicates, progress=told)
        if dry_run:
            return _audit(console, opened, options)
        _prepare(console, opened, folder, options)
        _share(opened, folder, shared_cache or default_shared_cache())
    if root is not None:
        remember_root(dataset, root)
    return 0


def _setting(dataset: str, text: str) -> tuple[str, Value]:
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise InvalidValueError("--set", text, "NAME=VALUE")
    name = name.strip().removeprefix(f"{dataset}.")
    return name, parse_value(name, value.strip())


@contextmanager
def _progress(console: Console) -> Iterator[Told]:
    """Show samples done, time and time left; on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _audit(console: Console, dataset: Dataset, options: BuildOptions) -> int:
    if not isinstance(dataset, FileDataset):
        raise InvalidValueError("--dry-run", dataset.card.title, "a data set of files")
    _show(console, audit_files(dataset, options))
    return 0


def _prepare(console: Console, dataset: Dataset, cache: Path, options: BuildOptions) -> None:
    folder = cache / compute_fingerprint(dataset)
    was_there = folder.exists()
    if not was_there:
        from trainables.prepared import prepare  # noqa: PLC0415 (a second of imports, of no use if all is done)

        started = time.monotonic()
        count = len(prepare(dataset, folder.name, cache, options).sample_ids)
        console.print(f"{count:,} samples in {time.monotonic() - started:.1f} s", highlight=False)
    if (folder / AUDIT).exists():
        _show(console, json.loads((folder / AUDIT).read_text()))
    gigabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    words = "prepared before in" if was_there else "prepared in"
    console.print(f"{words} {folder} ({gigabytes:.3g} GB)", highlight=False, soft_wrap=True)


def _share(dataset: Dataset, cache: Path, shared_cache: str) -> None:
    if shared_cache:
        from trainables.shared_cache import share_prepared  # noqa: PLC0415 (as above)

        share_prepared(compute_fingerprint(dataset), str(cache), absolute_root(shared_cache))


def _show(console: Console, audit: Mapping[str, Any]) -> None:
    """Print the sizes of the splits and what was found in the raw files."""
    sizes = Table("", *audit["samples"], title=f"{audit['dataset']} in {audit['root']}", title_justify="left")
    sizes.add_row("samples found", *(f"{found:,}" for found, _ in audit["samples"].values()))
    if any(official for _, official in audit["samples"].values()):
        sizes.add_row("official", *(f"{official or 0:,}" for _, official in audit["samples"].values()))
    console.print(sizes, highlight=False)
    if not audit["findings"]:
        console.print("nothing is wrong with the files", highlight=False)
        return
    table = Table("found", "count", "what is done", "for instance", box=None)
    for code, about in audit["findings"].items():
        table.add_row(code, f"{about['count']:,}", about["action"], about["where"][0])
    console.print(table, highlight=False, markup=False)
