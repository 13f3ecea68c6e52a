"""What is a token and what is padding, the same for every backbone."""

from torch import Tensor

__all__ = ["frame_is_sound", "largest_patch", "word_is_token"]

_PATCHES = (32, 16, 8, 4, 2)
_FEWEST_PATCHES = 2  # per side
_PADDING = 0


def largest_patch(height: int, width: int) -> int:
    """Return the largest patch that tiles an image with at least two patches per side, else 1."""
    for patch in _PATCHES:
        if height % patch == 0 and width % patch == 0 and min(height, width) >= patch * _FEWEST_PATCHES:
            return patch
    return 1


def word_is_token(ids: Tensor) -> Tensor:
    """Return which of (B, L) token ids are not padding; the first always counts, so that no text is empty."""
    return _first_counts(ids != _PADDING)


def frame_is_sound(spectrogram: Tensor, frames: int) -> Tensor:
    """Return (B, T / frames), False where all bands of all of a group's frames are exactly zero, which is padding.

    The first group always counts, so that no audio is empty.

    Args:
        spectrogram: (B, bands, T).
        frames: in a group.
    """
    sound = (spectrogram != _PADDING).any(dim=1)
    return _first_counts(sound.view(len(sound), -1, frames).any(dim=2))


def _first_counts(valid: Tensor) -> Tensor:
    valid[:, 0] = True
    return valid
