"""A machine without ray and mlflow, for instance one that only lends its GPU, trains in process."""

import os
import subprocess
import sys
from pathlib import Path

BLOCK = """
import sys
for name in ("ray", "mlflow"):
    sys.modules[name] = None
from orchestrator.cli import main
main(["run", "smoke", "--inline", "--tracking-uri", "none", "--set", "epochs=1", "--store", sys.argv[1]])
"""


def test_an_inline_sweep_imports_neither_ray_nor_mlflow(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BLOCK, str(tmp_path / "store")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ))
    assert ended.returncode == 0, ended.stderr
    assert "3 trained" in ended.stdout
