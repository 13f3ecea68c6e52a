"""Training methods: each file defines one `Method`."""
