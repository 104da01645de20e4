"""What every step of building an index shares: a method is an object, a result says what it changed.

A step is a pure function on a frame of units by indicators. It takes a method as an object, as its name, or as a
mapping from indicator to method, and returns a :class:`StepResult`. The order of steps and their names are those
of the OECD/JRC handbook (2008): denominate, impute, screen, treat, normalise, weight, aggregate.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from outcomes_analysis.errors import ObservationsError, Problems, SpecError, several

#: Columns of every table of changes. ``unit`` is "" where a whole column was changed.
CHANGE_COLUMNS = ["step", "unit", "indicator", "what", "before", "after", "parameters"]

#: Name, in a mapping of methods, of the one that holds for indicators not named.
DEFAULT = "default"


class Method(BaseModel, ABC):
    """A way to carry out a step, with its parameters; frozen, and refusing what it does not know.

    Each subclass declares ``method: Literal["name"] = "name"``, so that a specification read from YAML or JSON
    says which one it means.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def key(cls) -> str:
        """The name a specification uses for this method."""
        return str(cls.model_fields["method"].default)

    def replace(self, **changes: Any) -> Self:
        """Return the same method with some parameters changed, validated again."""
        return self.__class__.model_validate(self.model_dump() | changes)

    @property
    def parameters(self) -> str:
        """The parameters as short text, for tables: ``"low=0, high=100"``."""
        given = self.model_dump(exclude={"method"})
        return ", ".join(f"{name}={value}" for name, value in given.items())


MethodChoice = Method | str | Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StepResult:
    """The outcome of one step.

    Attributes
    ----------
    values : DataFrame
        Units by indicators after the step, labelled as the input (screening may drop rows).
    changes : DataFrame
        What was changed: one row a cell or column, with :data:`CHANGE_COLUMNS`.
    text : str
        What was done, in a sentence or two.
    details : DataFrame
        The step's own table (a row an indicator, a unit or a pair); empty where there is none.
    """

    values: pd.DataFrame
    changes: pd.DataFrame
    text: str
    details: pd.DataFrame

    @property
    def marked(self) -> pd.DataFrame:
        """What was done to each cell: a frame of text labelled as ``values``, "" where nothing was.

        Several things done to one cell are joined by "+", in their order; what was done to a whole column marks
        the cells that have a value.
        """
        marks = np.full(self.values.shape, "", dtype=object)
        row_of = {str(unit): i for i, unit in enumerate(self.values.index)}
        column_of = {str(name): j for j, name in enumerate(self.values.columns)}
        present = self.values.notna().to_numpy()
        for unit, indicator, what in self.changes[["unit", "indicator", "what"]].itertuples(index=False):
            column = column_of.get(indicator)
            if column is None or (unit != "" and unit not in row_of):
                continue
            rows = np.flatnonzero(present[:, column]) if unit == "" else [row_of[unit]]
            for row in rows:
                marks[row, column] = f"{marks[row, column]}+{what}" if marks[row, column] else what
        return pd.DataFrame(marks, index=self.values.index, columns=self.values.columns, dtype="str")


def step_result(
    values: pd.DataFrame,
    *,
    changes: Sequence[pd.DataFrame] = (),
    text: str,
    details: pd.DataFrame | None = None,
) -> StepResult:
    """Put a result together from parts, the tables of changes joined in the order given."""
    parts = [part for part in changes if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else no_changes()
    return StepResult(values=values, changes=table, text=text, details=pd.DataFrame() if details is None else details)


def no_changes() -> pd.DataFrame:
    """An empty table of changes."""
    numbers = {"before", "after"}
    return pd.DataFrame({c: pd.Series(dtype=float if c in numbers else "str") for c in CHANGE_COLUMNS})


def changed_column(step: str, indicator: Hashable, what: str, *, parameters: str = "") -> pd.DataFrame:
    """Note that a whole column was changed."""
    row = [step, "", str(indicator), what, np.nan, np.nan, parameters]
    return pd.DataFrame([row], columns=CHANGE_COLUMNS).astype(no_changes().dtypes.to_dict())


def changed_cells(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    step: str,
    what: str | pd.DataFrame,
    parameters: str = "",
) -> pd.DataFrame:
    """List the cells in which two frames of the same labels differ.

    Parameters
    ----------
    before, after : DataFrame
        Units by indicators. Two missing cells are the same; a filled one differs from a missing one.
    step : str
        Name of the step.
    what : str or DataFrame of str
        What happened to the cell, one word for all or one for each.
    parameters : str
        Parameters of the method.

    Returns
    -------
    DataFrame
        With :data:`CHANGE_COLUMNS`, column by column.
    """
    old, new = before.to_numpy(float), after.to_numpy(float)
    differs = ~((old == new) | (np.isnan(old) & np.isnan(new)))
    columns, rows = np.nonzero(differs.T)
    named = what.to_numpy()[rows, columns] if isinstance(what, pd.DataFrame) else what
    table = pd.DataFrame(
        {
            "step": step,
            "unit": np.array([str(u) for u in before.index], dtype=object)[rows],
            "indicator": np.array([str(c) for c in before.columns], dtype=object)[columns],
            "what": named,
            "before": old[rows, columns],
            "after": new[rows, columns],
            "parameters": parameters,
        },
        index=range(len(rows)),
        columns=CHANGE_COLUMNS,
    )
    return table.astype(no_changes().dtypes.to_dict())


def check_values(values: pd.DataFrame, *, step: str) -> pd.DataFrame:
    """Check a frame of units by indicators, and return a copy of it as float64.

    Parameters
    ----------
    values : DataFrame
        Rows are units, columns indicators; NaN is missing.
    step : str
        Named in the message.

    Returns
    -------
    DataFrame

    Raises
    ------
    ObservationsError
        Labels repeated, or cells that are not numbers or not finite; all of it at once.
    """
    problems = Problems(f"values given to `{step}`")
    for kind, labels in (("units", values.index), ("indicators", values.columns)):
        repeated = labels[labels.duplicated()].unique()
        if len(repeated):
            problems.add(f"{len(repeated)} {kind} appear more than once ({several(repeated)}); keep one row of each")
    texts = [c for c in values.columns if values.columns.is_unique and not pd.api.types.is_numeric_dtype(values[c])]
    if texts:
        problems.add(f"{len(texts)} columns are not numbers ({several(texts)}); leave out or convert them first")
    problems.raise_if_any(ObservationsError)
    result = values.astype(float)
    endless = result.columns[np.isinf(result.to_numpy()).any(axis=0)]
    if len(endless):
        problems.add(f"{len(endless)} indicators hold infinite values ({several(endless)}); set them missing")
    problems.raise_if_any(ObservationsError)
    return result


def check_known(names: Iterable[Hashable], known: Iterable[Hashable], *, what: str, step: str) -> None:
    """Refuse names that are not among the known ones, naming them and offering what there is."""
    there = list(known)
    lookup = set(there)
    unknown = [name for name in names if name not in lookup]
    if unknown:
        message = (
            f"`{step}`: {len(unknown)} {what} not found in the data ({several(unknown)}); "
            f"there are {len(there)}: {several(there)}"
        )
        raise SpecError(message)


def signs(directions: Mapping[str, int] | pd.Series | None, columns: Iterable[str], *, step: str) -> pd.Series:
    """Directions of the columns as 1.0 or -1.0: those of ``directions``, all 1 when it is None.

    Raises
    ------
    SpecError
        A column has no direction, or one that is neither 1 nor -1.
    """
    names = list(columns)
    if directions is None:
        return pd.Series(1.0, index=names)
    given = pd.Series(dict(directions), dtype=float).reindex(names)
    wrong = given.index[~given.isin([1.0, -1.0])]
    if len(wrong):
        message = f"`{step}`: {len(wrong)} indicators have no direction of 1 or -1 ({several(wrong)}); give one each"
        raise SpecError(message)
    return given


def method_for(choice: MethodChoice, menu: Iterable[type[Method]], *, step: str) -> Method:
    """Turn one choice (object, name, or a mapping with ``method``) into a validated method object.

    Parameters
    ----------
    choice : Method, str or mapping
        A name takes the method with its default parameters.
    menu : iterable of Method classes
        What the step offers.
    step : str
        Named in the message.

    Raises
    ------
    SpecError
        An unknown method, or parameters it refuses.
    """
    offered = {kind.key(): kind for kind in menu}
    given: dict[str, Any] = {}
    if isinstance(choice, Method):
        if choice.__class__ in offered.values():
            return choice
        name = choice.__class__.__name__
    elif isinstance(choice, str):
        name = choice
    else:
        given = dict(choice)
        name = str(given.pop("method", ""))
    if name not in offered:
        message = f"`{step}` has no method {name!r}; it has {several(offered, limit=40)}"
        raise SpecError(message)
    try:
        return offered[name].model_validate({"method": name, **given})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'parameters'}: {e['msg']}" for e in error.errors())
        message = f"`{step}`, method {name!r}: {faults}"
        raise SpecError(message) from error


def methods_by_indicator(
    choice: MethodChoice | Mapping[str, MethodChoice],
    columns: Iterable[str],
    *,
    menu: Iterable[type[Method]],
    step: str,
) -> dict[str, Method]:
    """Say which method each indicator gets.

    Parameters
    ----------
    choice : Method, str or mapping
        One method for all, or a mapping from indicator to method; the key ``"default"`` of such a mapping
        stands for the indicators not named. A mapping with the key ``"method"`` is one method.
    columns : iterable of str
        The indicators.
    menu : iterable of Method classes
        What the step offers.
    step : str
        Named in messages.

    Returns
    -------
    dict
        Indicator to method, in the order of ``columns``.

    Raises
    ------
    SpecError
        Unknown methods or indicators, or indicators without a method and no default.
    """
    names, kinds = list(columns), list(menu)
    if isinstance(choice, (Method, str)) or "method" in choice:
        one = method_for(choice, kinds, step=step)
        return dict.fromkeys(names, one)
    check_known([k for k in choice if k != DEFAULT], names, what="indicators named in `method` were", step=step)
    chosen = {key: method_for(value, kinds, step=step) for key, value in choice.items()}
    without = [n for n in names if n not in chosen]
    if without and DEFAULT not in chosen:
        message = (
            f"`{step}`: {len(without)} indicators have no method ({several(without)}); "
            f"name them or give one for {DEFAULT!r}"
        )
        raise SpecError(message)
    return {name: chosen.get(name, chosen.get(DEFAULT, next(iter(chosen.values())))) for name in names}


def by_method(methods: Mapping[str, Method]) -> list[tuple[Method, list[str]]]:
    """Gather indicators that share a method, in the order in which methods first appear."""
    gathered: dict[Method, list[str]] = {}
    for indicator, method in methods.items():
        gathered.setdefault(method, []).append(indicator)
    return list(gathered.items())


def classes_of(union: Any) -> tuple[type[Method], ...]:
    """The classes of a discriminated union ``Annotated[A | B, Field(discriminator="method")]``."""
    inner = get_args(union)
    return tuple(get_args(inner[0])) if inner and get_args(inner[0]) else tuple(inner)
