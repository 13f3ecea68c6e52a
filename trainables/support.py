"""What a method can be asked for, checked before anything is planned, and said on its card."""

from search_spaces.errors import InvalidValueError
from search_spaces.spec import TrialSpec
from trainables.api import DataInfo, Method
from trainables.api_card import task_type

__all__ = ["check_support", "support_text"]


def check_support(spec: TrialSpec, method: type[Method], info: DataInfo) -> None:
    """Check a trial's fusion, task type and number of modalities.

    Raises:
        InvalidValueError: the method does not support one of them; the message names what it supports.
    """
    if method.fusions and spec.fusion not in method.fusions:
        raise InvalidValueError("fusion", spec.fusion, f"{' or '.join(method.fusions)} for {spec.method}")
    found = task_type(multi_label=info.multi_label)
    if found not in method.task_types:
        allowed = f"a {' or '.join(method.task_types)} data set for {spec.method}; this one is {found}"
        raise InvalidValueError("dataset", spec.dataset, allowed)
    most = len(info.modalities) if method.most_modalities is None else method.most_modalities
    if not method.fewest_modalities <= len(info.modalities) <= most:
        allowed = f"a data set with {_count(method)} for {spec.method}; this one has {', '.join(info.modalities)}"
        raise InvalidValueError("dataset", spec.dataset, allowed)


def support_text(method: type[Method]) -> str:
    """Return what a method supports in words."""
    fusions = f"{' and '.join(method.fusions)} fusion" if method.fusions else "every fusion"
    return f"{fusions}; {' and '.join(method.task_types)}; {_count(method)}"


def _count(method: type[Method]) -> str:
    few, most = method.fewest_modalities, method.most_modalities
    if most is None:
        return f"at least {few} {'modality' if few == 1 else 'modalities'}"
    return f"{few} to {most} modalities" if few < most else f"exactly {few} modalities"
