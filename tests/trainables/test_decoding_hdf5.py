"""Of an HDF5 file only its own arrays are read: whatever else it shows may be any file of the user's."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from trainables.decoding.hdf5 import array_at

PATH = "group/values"


def _link(file: h5py.File, other: Path) -> None:
    file[PATH] = h5py.ExternalLink(str(other), "/values")


def _link_above(file: h5py.File, other: Path) -> None:
    file["group"] = h5py.ExternalLink(str(other), "/")


def _link_by_name(file: h5py.File, other: Path) -> None:
    file["elsewhere"] = h5py.ExternalLink(str(other), "/values")
    file[PATH] = h5py.SoftLink("/elsewhere")


def _raw_bytes(file: h5py.File, other: Path) -> None:
    file.create_dataset(PATH, (2,), "u1", external=[(str(other), 0, 2)])


def _virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((3,), "i8")
    layout[:] = h5py.VirtualSource(str(other), "values", (3,))
    file.create_virtual_dataset(PATH, layout)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["values"] = np.arange(3)
    return path


@pytest.mark.parametrize("show", [_link, _link_above, _link_by_name, _raw_bytes, _virtual])
def test_what_another_file_holds_is_refused(
    tmp_path: Path, other: Path, show: Callable[[h5py.File, Path], None]
) -> None:
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        show(file, other)
    with h5py.File(tmp_path / "odd.h5") as file:
        assert len(file[PATH][()]) in {2, 3}, "the library itself reads it"
        with pytest.raises(OSError, match=r"not (followed|read)"):
            array_at(file, PATH)


def test_arrays_of_the_file_are_found_below_groups(other: Path) -> None:
    with h5py.File(other, "a") as file:
        file[PATH] = np.arange(4)
        assert array_at(file, PATH)[()].tolist() == [0, 1, 2, 3]
        for nothing in ("group/none", "none/values", "values/deeper", ""):
            with pytest.raises(LookupError, match="is not there"):
                array_at(file, nothing)
        with pytest.raises(TypeError, match="group is no array"):
            array_at(file, "group")
