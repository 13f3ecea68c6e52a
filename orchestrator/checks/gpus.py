"""The GPUs that trials ask for are there, torch can use them, and nobody else fills them."""

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import torch

from orchestrator.check import Finding, Question, ok, problem, warning
from orchestrator.nodes import Nodes
from orchestrator.resources import amounts

__all__ = ["Card", "check", "look_at_cards", "read_cards"]

_ASK = ("nvidia-smi", "--query-gpu=index,name,memory.total,memory.used", "--format=csv,noheader,nounits")
_USED_SHARE = 0.1  # of a card's memory: more than an idle driver takes
_SECONDS = 20


class Card(NamedTuple):
    """One GPU as the driver reports it; memory in MiB."""

    number: str
    name: str
    total_mib: float
    used_mib: float


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Ask every node's GPU driver and torch."""
    wanted = amounts(question.resources).get("GPU", 0)
    answers = nodes.ask_all(look_at_cards)
    for node, (cards, cuda, why) in answers.items():
        if cards:
            yield from _judged(cards, cuda, node)
        else:
            yield ok(f"no GPU ({why})", node)
    if answers and wanted and not any(cards and cuda for cards, cuda, _ in answers.values()):
        cure = "start the cluster on nodes with GPUs and a CUDA build of torch, or train with --gpus 0"
        yield problem(f"a trial needs {wanted:.3g} GPU and no node has one that torch can use", cure)


def _judged(cards: list[Card], cuda: str | None, node: str) -> Iterator[Finding]:
    if cuda is None:
        cure = "install a CUDA build of torch there"
        yield warning(f"{len(cards)} GPUs, but torch {torch.__version__} is built without CUDA", cure, node)
    for card in cards:
        free = f"GPU {card.number} ({card.name}): {card.total_mib - card.used_mib:.0f} of {card.total_mib:.0f} MiB free"
        if card.used_mib > _USED_SHARE * card.total_mib:
            yield warning(
                free, "end what else runs on it (`nvidia-smi` lists it), or expect less room for trials", node
            )
        else:
            yield ok(free, node)


def look_at_cards() -> tuple[list[Card], str | None, str]:
    """Return this node's cards, the CUDA version of its torch, and why there are no cards."""
    try:
        answer = subprocess.run(_ASK, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603 (fixed words)
    except FileNotFoundError:
        return [], torch.version.cuda, "no nvidia-smi"
    except (OSError, subprocess.SubprocessError) as error:
        return [], torch.version.cuda, f"nvidia-smi: {error}"
    return read_cards(answer.stdout), torch.version.cuda, "nvidia-smi lists none"


def read_cards(text: str) -> list[Card]:
    """Read what nvidia-smi prints as CSV.

    >>> read_cards("0, NVIDIA H200, 143771, 12")
    [Card(number='0', name='NVIDIA H200', total_mib=143771.0, used_mib=12.0)]
    """
    rows = [[part.strip() for part in line.split(",")] for line in text.splitlines() if line.strip()]
    return [Card(number, name, float(total), float(used)) for number, name, total, used in rows]
