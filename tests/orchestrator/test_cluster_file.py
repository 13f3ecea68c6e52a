import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[2]
FILES = ("cluster.yaml", "examples/cluster.local.yaml")


@pytest.fixture(params=FILES)
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / request.param).read_text(encoding="utf-8"))
    return content


def test_rays_own_schema_accepts_the_cluster_files(config: dict[str, Any]) -> None:
    """The checks of `ray up`, in its order, without a network."""
    complete = prepare_config(config)
    validate_config(complete)
    head = complete["available_node_types"][complete["head_node_type"]]
    assert head["resources"] == ({"CPU": 0} if complete["provider"]["type"] == "aws" else {})


def test_the_code_travels_without_what_git_ignores(config: dict[str, Any]) -> None:
    assert list(config["file_mounts"].values()) == ["."]
    assert config["rsync_filter"] == [".gitignore"]


def test_the_environment_is_the_one_that_is_tested(config: dict[str, Any]) -> None:
    """constraints.txt pins ray and everything else; the extra brings what a head needs for Ray Jobs."""
    (install,) = (command for command in config["setup_commands"] if "pip install" in command)
    assert "--constraint ~/mmpt-sweep/constraints.txt --editable ~/mmpt-sweep'[cluster]'" in install
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("ray==") for line in pinned)


def test_every_start_of_ray_says_whether_it_asks_for_tokens(config: dict[str, Any]) -> None:
    commands = [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]
    starts = [command for command in commands if "ray start" in command]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=" in command for command in starts)


def test_the_submit_script_needs_nothing_but_the_installed_package() -> None:
    """`ray submit` copies this one file."""
    tree = ast.parse((ROOT / "examples" / "submit.py").read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["from orchestrator.cli import main"]
