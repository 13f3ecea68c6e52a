"""Commands of `mmpt`: each file defines one `command`; its first line is its help in the list."""
