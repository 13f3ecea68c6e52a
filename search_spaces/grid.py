"""Grids: products and unions of axes that enumerate trial specifications."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces.axes import Axis, Choice
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from search_spaces.spec import TrialSpec

__all__ = ["Grid", "When"]

Point = dict[str, Any]
_PARAM_FIELDS = {"dataset": "dataset_params", "method": "method_params"}
_ANY_OWNER = {"encoder", "dataset"}  # of axes that every point has, whatever its method and data set


@dataclass(frozen=True)
class When:
    """Axes that exist only where other fields have given values.

    Attributes:
        condition: field -> value that it must have.
        axes: the axes added there.
    """

    condition: Mapping[str, Any]
    axes: tuple[Axis, ...]

    def holds(self, point: Point) -> bool:
        """Tell whether the condition is true at a point."""
        return all(point.get(name) == value for name, value in self.condition.items())


class Grid:
    """A finite set of trial specifications.

    A key is a field of `TrialSpec`, `encoder.<modality>`, or `<method or data set>.<parameter>`; the last exists only
    where that method or data set is chosen, so loss weights of `mtl` never multiply the trials of `naive`.
    `dataset.<parameter>` is one of whatever data set is chosen, unless `<data set>.<parameter>` says otherwise. Values
    are a `choice`, another axis, or one fixed value. `+` joins grids; a specification that occurs twice counts once.

    >>> from search_spaces.axes import choice
    >>> grid = Grid({"dataset": "av_digits", "method": choice("naive", "mtl"), "mtl.audio": choice(0.5, 1.0)})
    >>> [(spec.method, dict(spec.method_params)) for spec in grid]
    [('naive', {}), ('mtl', {'audio': 0.5}), ('mtl', {'audio': 1.0})]
    """

    def __init__(self, axes: Mapping[str, Any], *more: Axis | When) -> None:
        bound = [_bind(name, value) for name, value in axes.items()]
        blocks: list[When] = [block if isinstance(block, When) else _conditional(block) for block in (*bound, *more)]
        for block in blocks:
            for axis in block.axes:
                for name in axis.names:
                    _check_axis_name(name)
        _check_owners(blocks)
        self._products: tuple[tuple[When, ...], ...] = (tuple(sorted(blocks, key=lambda b: bool(b.condition))),)

    def __add__(self, other: "Grid") -> "Grid":
        joined = Grid({})
        joined._products = self._products + other._products
        return joined

    def with_axis(self, name: str, values: Sequence[Any]) -> "Grid":
        """Replace an axis everywhere, or add it where the grid leaves the default.

        Raises:
            UnknownNameError: there is no such axis.
            InvalidValueError: no values are given.
        """
        if not values:
            raise InvalidValueError(name, list(values), "at least one value")
        _check_axis_name(name)
        axis = _bind(name, Choice(tuple(values)))
        changed = Grid({})
        changed._products = tuple(_replaced(product, axis) for product in self._products)
        return changed

    def with_seeds(self, num_seeds: int) -> "Grid":
        """Run every trial with seeds 0 to `num_seeds` - 1."""
        if num_seeds < 1:
            raise InvalidValueError("seeds", num_seeds, "at least 1")
        return self.with_axis("seed", range(num_seeds))

    def axis_names(self) -> tuple[str, ...]:
        """Names of all axes that the grid sets."""
        return tuple(
            dict.fromkeys(
                name for product in self._products for block in product for axis in block.axes for name in axis.names
            )
        )

    def __iter__(self) -> Iterator[TrialSpec]:
        seen: set[TrialSpec] = set()
        for product in self._products:
            for point in _expand(product):
                spec = _to_spec(point)
                if spec not in seen:
                    seen.add(spec)
                    yield spec

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _bind(name: str, value: Any) -> Axis:
    if isinstance(value, Axis):
        raise InvalidValueError(name, value, "a choice or a value; pass an axis of several fields after the mapping")
    return (value if isinstance(value, Choice) else Choice((value,))).bind(name)


def _conditional(axis: Axis) -> When:
    """Turn `mtl.audio` into "where method is mtl"; whether `mtl` is a method is decided at each point."""
    owners = {name.partition(".")[0] for name in axis.names if "." in name} - _ANY_OWNER
    if len(owners) > 1:
        raise InvalidValueError("axis", axis.names, "parameters of one method or data set")
    return When({"owner": owners.pop()} if owners else {}, (axis,))


def _check_axis_name(name: str) -> None:
    owner, dot, parameter = name.partition(".")
    if dot and owner and parameter:
        return
    if name not in TrialSpec.axis_names():
        raise UnknownNameError("axis", name, TrialSpec.axis_names())


def _check_owners(blocks: list[When]) -> None:
    """Refuse parameters of a method or data set that the grid never chooses: they would change nothing."""
    points = [point for block in blocks for axis in block.axes for point in axis.points]
    chosen = {str(point[name]) for point in points for name in ("method", "dataset") if name in point}
    for owner in {block.condition["owner"] for block in blocks if "owner" in block.condition}:
        if owner not in chosen:
            raise UnknownNameError("method or data set in this grid", owner, chosen)


def _replaced(product: tuple[When, ...], axis: Axis) -> tuple[When, ...]:
    kept: list[When] = []
    name = axis.names[0]
    for block in product:
        axes = tuple(old for old in block.axes if not _covers(name, old))
        shared = [old for old in block.axes if name in old.names and len(old.names) > 1]
        if shared:
            raise MmptError(f"axis {axis.names[0]!r} varies together with others here: {', '.join(shared[0].names)}")
        kept.extend([When(block.condition, axes)] if axes else [])
    return tuple(sorted((*kept, _conditional(axis)), key=lambda block: bool(block.condition)))


def _covers(name: str, old: Axis) -> bool:
    """Tell whether setting `name` sets all of an axis; `mtl.weight` also stands for `mtl.weight_<modality>`."""
    return all(other == name or ("." in name and other.startswith(f"{name}_")) for other in old.names)


def _expand(product: tuple[When, ...]) -> Iterator[Point]:
    points: list[Point] = [{}]
    for block in product:
        for axis in block.axes:
            points = [grown for point in points for grown in _grow(point, block, axis)]
    return iter(points if product else [])


def _grow(point: Point, block: When, axis: Axis) -> list[Point]:
    owner = block.condition.get("owner")
    applies = owner in (point.get("method"), point.get("dataset")) if owner else block.holds(point)
    return [{**point, **extra} for extra in axis.points] if applies else [point]


def _to_spec(point: Point) -> TrialSpec:
    config: Point = {}
    for name, value in point.items():
        owner, dot, parameter = name.partition(".")
        if not dot:
            config[name] = value
        elif owner == "encoder":
            config.setdefault("encoders", {})[parameter] = value
        elif owner == "dataset":
            config.setdefault(_PARAM_FIELDS[owner], {}).setdefault(parameter, value)
        else:
            kind = "method" if owner == point.get("method") else "dataset"
            config.setdefault(_PARAM_FIELDS[kind], {})[parameter] = value
    return TrialSpec.from_config(config)
