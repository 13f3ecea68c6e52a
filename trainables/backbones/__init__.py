"""Backbones of early fusion: one file each, found by its name; see `trainables.encoder_names` for a spec's names."""
