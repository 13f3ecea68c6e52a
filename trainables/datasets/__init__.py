"""Data sets: one file each; a file whose name starts with an underscore helps another and is no data set."""
