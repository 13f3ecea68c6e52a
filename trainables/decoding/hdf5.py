"""Arrays from HDF5 files, which can show what other files hold; that is refused, whoever the file is from."""

import h5py

__all__ = ["array_at"]


def array_at(file: h5py.File, path: str) -> h5py.Dataset:
    """Return the array at a path of groups, without reading it.

    Raises:
        OSError: the path has a link, or the array's values are kept in other files.
        LookupError: there is nothing.
        TypeError: it is no array.
    """
    found = file
    for name in path.split("/"):
        link = found.get(name, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            raise LookupError(f"{path} is not there")
        if not isinstance(link, h5py.HardLink):
            raise OSError(f"{name} in {path} is a link, which is not followed")
        found = found[name]
    if not isinstance(found, h5py.Dataset):
        raise TypeError(f"{path} is no array")
    if found.external or found.is_virtual:
        raise OSError(f"the values of {path} are in other files, which are not read")
    return found
