from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8"))
    return content


def test_rays_own_schema_accepts_the_cluster_file(config: dict[str, Any]) -> None:
    """The checks of `ray up`, in its order, without a network."""
    complete = prepare_config(config)
    validate_config(complete)
    assert complete["available_node_types"]["head"]["resources"] == {"CPU": 0}


def test_the_cluster_installs_the_ray_that_is_tested(config: dict[str, Any]) -> None:
    pinned = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("ray=="))
    assert any(pinned.removeprefix("ray") in command for command in config["setup_commands"])
