"""What IEMOCAP's clips show: features of faces and face crops, of which those of the speaker count."""

from pathlib import Path

from trainables.decoding.decoded import Decoded
from trainables.preparing.audit import Audit
from trainables.preparing.manifest import Media
from trainables.preparing.tree import Tree
from trainables.preparing.vector_reader import VectorReader

__all__ = ["FaceReader", "faces_of", "middle_frame", "speaker_letter"]


class FaceReader(VectorReader):
    """As `VectorReader`, but zeros, which GCNet writes for a clip without a face, count as absent: `no_face`."""

    def _read_one(self, paths: list[str], root: Path) -> Decoded:
        read = super()._read_one(paths, root)
        return read if read.values is None or read.values.any() else Decoded(None, (*read.issues, "no_face"))


def speaker_letter(name: str) -> str:
    """Return F or M: who of the two speaks in an utterance."""
    return name.rpartition("_")[2][:1]


def faces_of(folder: str, name: str, tree: Tree, audit: Audit) -> Media:
    """Return the clip's file, or the files of the speaker's faces; None if the speaker's face was not found.

    A file shows F if there is an F in its name, else M.
    """
    single, faces = f"{folder}/{name}.npy", tree.names(f"{folder}/{name}")
    if tree.has(single) or (not faces and (tree.names(folder) or not tree.has_folder(folder))):
        return single
    shown = ((face, "F" if "F" in face.replace(name, "") else "M") for face in faces)
    own = tuple(f"{folder}/{name}/{face}" for face, letter in shown if letter == speaker_letter(name))
    if not own:
        audit.add("no_face", name)
    return own or None


def middle_frame(name: str, tree: Tree, audit: Audit) -> Media:
    """Return the middle one of a clip's face crops; None if there is none."""
    frames = tree.names(f"frames/{name}")
    if not frames:
        audit.add("no_face", name)
        return None
    return f"frames/{name}/{frames[len(frames) // 2]}"
