"""An analyst's machine has neither torch nor ray nor mlflow: tables and figures need none of them."""

import os
import subprocess
import sys
from pathlib import Path

from made_up import fill, make_samples

from results.store import Store

BLOCK = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "ray", "mlflow", "transformers", "optuna"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Absent())
import results
page = results.write_report(sys.argv[1], sys.argv[2], num_draws=2, num_resamples=20)
print(len(results.frame(sys.argv[1])), page)
"""


def test_a_report_needs_neither_torch_nor_ray_nor_mlflow(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    samples = make_samples()
    records = fill(store, samples)
    command = [sys.executable, "-c", BLOCK, store.root, str(tmp_path / "report")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=dict(os.environ))
    assert ended.returncode == 0, ended.stderr
    rows = sum(len(record.logits) for record in records) * 3  # three metrics
    assert ended.stdout.split() == [str(rows), str(tmp_path / "report" / "index.html")]
