"""Decoders: the bytes of one file in, an array and audit codes out; nothing here opens a file or keeps state."""
