"""From a folder of raw files to prepared data: listing, auditing, reading, and writing in parallel."""
