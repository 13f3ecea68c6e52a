"""Every node has the trials' data: prepared, or the raw files to prepare it from."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.check import Finding, Question, ok, problem
from orchestrator.nodes import Nodes
from search_spaces.errors import MmptError
from search_spaces.spec import TrialSpec
from trainables.build import find_data
from trainables.dataset_catalog import DATASETS
from trainables.dataset_identity import trust_fingerprint
from trainables.task import TrialTask

__all__ = ["check"]

_CURE = (
    "mount the raw files there, say where they are with `mmpt prepare` or MMPT_DATA, or share the cache (MMPT_CACHE)"
)


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Look for each data set once."""
    tasks = {task["fingerprint"]: task for task in question.tasks}
    for task in tasks.values():
        name = task["spec"]["dataset"]
        for node, (where, why) in nodes.ask_all(_find, dict(task), dict(question.datasets)).items():
            yield problem(f"{name}: {why}", _CURE, node) if why else ok(f"{name}: {where}", node)


def _find(config: Mapping[str, Any], datasets: Mapping[str, type[Any]]) -> tuple[str, str]:
    """Return where this machine has the data, or else why it has not."""
    for key, entry in datasets.items():
        DATASETS.add(entry, key)
    task = TrialTask.from_config(config)
    spec = TrialSpec.from_config(task.spec)
    trust_fingerprint(spec, task.fingerprint)
    try:
        return find_data(spec, task.fingerprint, task.cache, task.data_root, task.shared_cache), ""
    except MmptError as error:
        return "", str(error).partition("\n")[0]
