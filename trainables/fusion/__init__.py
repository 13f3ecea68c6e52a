"""How modalities meet: each file defines one `Fusion`."""
