"""HOW one trial runs: data sets, encoders, fusions, methods, the loop and the probes. Torch; ray in one file."""
