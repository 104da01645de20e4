"""What all steps share: choosing methods, checking frames, and telling what was changed."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import Field, ValidationError

from outcomes_analysis.errors import ObservationsError, SpecError
from outcomes_analysis.index.steps.stepping import (
    Method,
    by_method,
    changed_cells,
    changed_column,
    check_values,
    classes_of,
    methods_by_indicator,
    signs,
    step_result,
)


class Halve(Method):
    """Half of it."""

    method: Literal["halve"] = "halve"


class Times(Method):
    """So many times it."""

    method: Literal["times"] = "times"
    factor: float = 2


MENU = classes_of(Annotated[Halve | Times, Field(discriminator="method")])


def choose(choice, columns=("a", "b", "c")):
    return methods_by_indicator(choice, columns, menu=MENU, step="scale")


def test_one_method_for_all_in_any_form():
    wanted = dict.fromkeys("abc", Times(factor=3))
    assert choose(Times(factor=3)) == wanted
    assert choose({"method": "times", "factor": 3}) == wanted
    assert choose("halve") == dict.fromkeys("abc", Halve())


def test_methods_by_indicator_and_their_gathering():
    chosen = choose({"default": "halve", "b": Times(factor=3)})
    assert chosen == {"a": Halve(), "b": Times(factor=3), "c": Halve()}
    assert by_method(chosen) == [(Halve(), ["a", "c"]), (Times(factor=3), ["b"])]


def test_choices_that_cannot_be_meant():
    with pytest.raises(SpecError, match="`scale` has no method 'double'; it has halve, times"):
        choose("double")
    with pytest.raises(SpecError, match=r"not found in the data \(z\)"):
        choose({"default": "halve", "z": "times"})
    with pytest.raises(SpecError, match=r"2 indicators have no method \(a, c\)"):
        choose({"b": "halve"})
    with pytest.raises(SpecError, match="method 'times': factor"):
        choose({"method": "times", "factor": "many"})
    with pytest.raises(ValidationError, match="frozen"):
        Times().factor = 3
    assert Times().replace(factor=4).parameters == "factor=4.0"


def test_frames_are_checked_whole_and_copied():
    good = pd.DataFrame({"a": [1, 2]}, index=["X", "Y"])
    copy = check_values(good, step="scale")
    copy.iloc[0, 0] = 9
    assert good.iloc[0, 0] == 1
    assert copy["a"].dtype == float
    with pytest.raises(ObservationsError, match=r"2 problems(.|\n)*units appear more than once \(X\)(.|\n)*\(b\)"):
        check_values(pd.DataFrame({"a": [1, 2], "b": ["u", "v"]}, index=["X", "X"]), step="scale")
    with pytest.raises(ObservationsError, match=r"infinite values \(a\)"):
        check_values(pd.DataFrame({"a": [1, np.inf]}), step="scale")


def test_directions_must_be_one_or_minus_one():
    assert signs({"a": 1, "b": -1, "more": 1}, ["b", "a"], step="scale").tolist() == [-1, 1]
    assert signs(None, ["a"], step="scale").tolist() == [1]
    with pytest.raises(SpecError, match=r"2 indicators have no direction of 1 or -1 \(b, c\)"):
        signs({"a": 1, "b": 0}, ["a", "b", "c"], step="scale")


def test_what_was_changed_is_listed_and_marked():
    before = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [4.0, 5.0, np.nan]}, index=["X", "Y", "Z"])
    after = before.copy()
    after.loc["Y", "a"] = 2
    after.loc["X", "a"] = 0
    cells = changed_cells(before, after, step="scale", what="moved")
    assert cells[["unit", "indicator", "after"]].to_numpy().tolist() == [["X", "a", 0], ["Y", "a", 2]]
    logs = [changed_column("scale", "a", "logged"), changed_column("scale", "b", "logged")]
    result = step_result(after, changes=[cells, *logs], text="")
    assert result.marked["a"].tolist() == ["moved+logged", "moved+logged", "logged"]
    assert result.marked["b"].tolist() == ["logged", "logged", ""]
    assert step_result(after, text="").changes.columns.tolist() == cells.columns.tolist()
