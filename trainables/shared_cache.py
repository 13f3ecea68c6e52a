"""Prepared data that machines share through a folder or bucket: one of them decodes, the others download.

`<fingerprint>.json` names the files of one upload with their SHA-256; it is written last, and is one whole write. The
files lie in `<fingerprint>/<hash of all of them>/`, so that two machines that upload at once never mix.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from results.file_system import StoreAccessError
from results.files import Files
from search_spaces.spec import content_hash
from trainables.prepared import PreparedError

__all__ = ["SharedCache", "share_prepared"]

_BLOCK_BYTES = 1024**2


class SharedCache:
    """Prepared data under an absolute path or a bucket URL.

    Raises:
        StoreError: the root is relative, or no file system answers to its URL.
    """

    def __init__(self, root: str) -> None:
        self._files = Files(root)

    def fetch(self, fingerprint: str, cache_root: Path) -> bool:
        """Bring prepared data into a machine's own cache, unless it has it; False if nobody has shared it.

        Of several processes that call it at once, one downloads.

        Raises:
            PreparedError: what is shared is damaged, or the cache cannot be written; nothing half is left.
            StoreAccessError: the bucket cannot be used.
        """
        with _writing(cache_root):
            cache_root.mkdir(parents=True, exist_ok=True)
            with FileLock(cache_root / f"{fingerprint}.lock"):
                return (cache_root / fingerprint).exists() or self._download(fingerprint, cache_root)

    def has(self, fingerprint: str) -> bool:
        """Tell whether the data is there; raises as `fetch` does."""
        return self._manifest(fingerprint) is not None

    def offer(self, fingerprint: str, cache_root: Path) -> bool:
        """Share a machine's prepared data; False if somebody has already.

        Raises:
            StoreAccessError, OSError: it cannot be written.
        """
        if self._manifest(fingerprint) is not None:
            return False
        folder = cache_root / fingerprint
        sums = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}
        upload = content_hash(sums)
        for name in sums:
            self._files.upload(folder / name, fingerprint, upload, name)
        manifest = {"upload": upload, "sha256": sums}
        self._files.write(json.dumps(manifest, sort_keys=True, indent=1).encode(), f"{fingerprint}.json")
        return True

    def _download(self, fingerprint: str, cache_root: Path) -> bool:
        manifest = self._manifest(fingerprint)
        if manifest is None:
            return False
        staging = cache_root / f".{fingerprint}.download"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            upload, sums = manifest
            for name, expected in sums.items():
                self._download_one(staging / name, expected, fingerprint, upload)
            staging.rename(cache_root / fingerprint)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return True

    def _download_one(self, target: Path, expected: str, fingerprint: str, upload: str) -> None:
        try:
            self._files.download(target, fingerprint, upload, target.name)
        except FileNotFoundError as error:
            raise self._damaged(fingerprint, f"{target.name} is not there") from error
        if _sha256(target) != expected:
            raise self._damaged(fingerprint, f"{target.name} is not what was uploaded")

    def _manifest(self, fingerprint: str) -> tuple[str, Mapping[str, str]] | None:
        try:
            found = json.loads(self._files.read(f"{fingerprint}.json"))
            return str(found["upload"]), {Path(name).name: str(expected) for name, expected in found["sha256"].items()}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(fingerprint, f"its list of files: {error!r}") from error

    def _damaged(self, fingerprint: str, why: str) -> PreparedError:
        place = self._files.path(f"{fingerprint}.json")
        return PreparedError(f"shared prepared data is damaged ({why}); delete {place}, it is then shared anew")


def share_prepared(fingerprint: str, cache: str, shared_cache: str) -> None:
    """Give this machine's prepared data to others, unless somebody has, or machines share nothing.

    Raises:
        MmptError: the shared cache cannot be written.
    """
    if not shared_cache:
        return
    try:
        SharedCache(shared_cache).offer(fingerprint, Path(cache))
    except StoreAccessError:
        raise
    except OSError as error:
        raise PreparedError(f"shared prepared data in {shared_cache} cannot be written: {error}") from error


@contextmanager
def _writing(cache_root: Path) -> Iterator[None]:
    try:
        yield
    except StoreAccessError:
        raise
    except OSError as error:
        cure = "set MMPT_CACHE to a folder with room that can be written"
        raise PreparedError(f"prepared data in {cache_root} cannot be written: {error}; {cure}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
