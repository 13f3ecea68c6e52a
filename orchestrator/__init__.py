"""WHEN and WHERE trials run: plans, executors, tracking, the command line and the Python API."""
