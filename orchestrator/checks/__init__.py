"""What is looked at before a sweep: each file defines `check`, which asks every node and yields findings."""

from orchestrator.check import Check
from search_spaces.catalog import Catalog

__all__ = ["CHECKS"]

CHECKS: Catalog[Check] = Catalog("check", "orchestrator.checks", attribute="check")
