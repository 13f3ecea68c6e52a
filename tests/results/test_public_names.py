"""The package's public names resolve, and only on use."""

import subprocess
import sys

import pytest

import results


@pytest.mark.parametrize("name", results.__all__)
def test_public_names_resolve(name: str) -> None:
    assert getattr(results, name).__class__


def test_reading_a_store_loads_no_plotting_library() -> None:
    code = "import sys, results.store; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
