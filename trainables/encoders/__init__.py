"""Encoders: one file each, found by its name; see `trainables.encoder_names` for how a spec names them."""
