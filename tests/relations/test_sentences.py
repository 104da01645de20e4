"""Sentences say what their numbers bear and no more."""

from __future__ import annotations

import pandas as pd
import pytest

from outcomes_analysis.relations.sentences import compared_sentence, tally_sentence
from outcomes_analysis.wording import causal_words


def row(estimate: float, lower: float, upper: float, **more: object) -> pd.Series:
    return pd.Series({"estimate": estimate, "lower": lower, "upper": upper, "level": 0.9, "n": 146, **more})


@pytest.mark.parametrize(
    ("now", "before", "apart", "words"),
    [
        # the raw estimates differ by .09 and one interval leaves out nought: still the difference does not
        ((-0.27, -0.39, -0.14), (-0.18, -0.31, 0.05), (-0.09, -0.18, 0.01), "cannot be told apart"),
        ((-0.25, -0.37, -0.12), (-0.18, -0.31, -0.05), (-0.07, -0.13, -0.02), "the association is stronger"),
        ((0.25, 0.12, 0.37), (0.18, 0.05, 0.31), (0.07, 0.02, 0.13), "the association is stronger"),
        ((-0.10, -0.24, 0.04), (-0.30, -0.42, -0.18), (0.20, 0.11, 0.29), "is weaker, and not clear in itself"),
        ((0.20, 0.10, 0.30), (-0.20, -0.30, -0.10), (0.40, 0.30, 0.50), "turns round"),
    ],
)
def test_stronger_or_weaker_only_by_the_interval_of_the_difference(now, before, apart, words):
    sentence = compared_sentence("Without London,", row(*now), with_row=row(*before), apart=row(*apart))
    assert words in sentence
    assert sum(w in sentence for w in ("stronger", "weaker", "cannot be told apart", "turns round")) == 1
    assert "90% interval" in sentence
    assert not causal_words(sentence)


def table(*rows: tuple[float, float, float, str]) -> pd.DataFrame:
    columns = ["estimate", "lower", "upper", "scale"]
    return pd.DataFrame(rows, columns=columns).assign(status="computed")


def test_every_analysis_is_counted_with_its_kind_and_the_range():
    told = tally_sentence(
        table(
            (-0.20, -0.30, -0.10, "correlation"),
            (-0.10, -0.25, 0.05, "correlation"),
            (-0.31, -0.40, -0.20, "standard"),
            (-3.10, -4.00, -2.00, "natural"),  # the same slope said again
            (-0.05, -0.15, 0.05, "standard"),
        )
    )
    assert "Asked in 4 ways" in told
    assert "2 correlations from −0.20 to −0.10 and 2 slopes from −0.31 to −0.05" in told
    assert "2 of the 4 have intervals that leave out nought, always higher with lower" in told
    assert "no 4 separate answers" in told


def test_answers_that_disagree_are_no_answer():
    told = tally_sentence(table((-0.2, -0.3, -0.1, "correlation"), (0.2, 0.1, 0.3, "standard")))
    assert "do not agree on the direction: no single answer" in told
    assert "none has an interval" in tally_sentence(
        table((-0.2, -0.5, 0.1, "correlation"), (0.2, -0.1, 0.5, "standard"))
    )
