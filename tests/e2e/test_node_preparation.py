"""Data prepared on a node of a real two-node cluster that is not the driver's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import raw_toys
import ray
from raw_toys import Loose, loose, make_loose
from ray import cloudpickle
from ray.cluster_utils import Cluster

from orchestrator.node_preparation import prepare_on_nodes
from search_spaces import TrialSpec
from search_spaces.errors import MmptError
from trainables.dataset_identity import compute_fingerprint
from trainables.prepared import verify
from trainables.task import TrialTask

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _two_nodes() -> Iterator[None]:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    cloudpickle.register_pickle_by_value(raw_toys)  # as a sweep does with a user's own classes
    ray.init(address=cluster.address)
    yield
    ray.shutdown()
    cluster.shutdown()


def task(raw: Path, cache: Path, fingerprint: str) -> TrialTask:
    spec = TrialSpec(dataset="loose", method="naive").to_config()
    folders = {"store": str(cache), "cache": str(cache), "data_root": str(raw)}
    return TrialTask(trial_id="any", spec=spec, fingerprint=fingerprint, **folders)


@pytest.mark.usefixtures("_two_nodes")
def test_another_node_prepares_what_only_it_lacks(tmp_path: Path) -> None:
    raw = make_loose(tmp_path / "raw")
    fingerprint = compute_fingerprint(loose(raw))
    assert not (tmp_path / "cache" / fingerprint).exists()
    prepare_on_nodes([task(raw, tmp_path / "cache", fingerprint)], {"loose": Loose})
    assert (tmp_path / "cache" / fingerprint).is_dir()
    verify(fingerprint, tmp_path / "cache")


@pytest.mark.usefixtures("_two_nodes")
def test_a_node_with_other_files_is_named(tmp_path: Path) -> None:
    raw = make_loose(tmp_path / "raw", 8)
    with pytest.raises(MmptError, match=r"loose on node .* cannot be prepared: .* differ from the driver's"):
        prepare_on_nodes([task(raw, tmp_path / "cache", "0" * 16)], {"loose": Loose})
