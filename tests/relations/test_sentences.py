"""Sentences say what their numbers bear and no more."""

from __future__ import annotations

import pandas as pd
import pytest

from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.relations.sentences import (
    compared_sentence,
    compared_words,
    marked_name,
    marks,
    regions_sentence,
    slope_sentence,
    tally_sentence,
    unmeasured_sentence,
)
from outcomes_analysis.relations.slopes.unmeasured import Benchmark, Robustness
from outcomes_analysis.wording import causal_words


def row(estimate: float, lower: float, upper: float, **more: object) -> pd.Series:
    return pd.Series(
        {"estimate": estimate, "lower": lower, "upper": upper, "level": 0.9, "n": 146, "status": "computed", **more}
    )


@pytest.mark.parametrize(
    ("now", "before", "apart", "words"),
    [
        # the estimates differ by .09 and one interval leaves out 0: still the difference does not
        ((-0.27, -0.39, -0.14), (-0.18, -0.31, 0.05), (-0.09, -0.18, 0.01), ""),
        ((-0.25, -0.37, -0.12), (-0.18, -0.31, -0.05), (-0.07, -0.13, -0.02), "stronger"),
        ((0.25, 0.12, 0.37), (0.18, 0.05, 0.31), (0.07, 0.02, 0.13), "stronger"),
        ((-0.10, -0.24, 0.04), (-0.30, -0.42, -0.18), (0.20, 0.11, 0.29), "weaker"),
        ((0.20, 0.10, 0.30), (-0.20, -0.30, -0.10), (0.40, 0.30, 0.50), "turned round"),
        ((-0.10, -0.26, 0.06), (0.03, -0.13, 0.20), (-0.13, -0.26, -0.02), "different"),
    ],
)
def test_stronger_or_weaker_only_by_the_interval_of_the_difference(now, before, apart, words):
    said = compared_words(row(*now), with_row=row(*before), apart=row(*apart))
    assert said.startswith(words) if words else said == ""
    assert "90% interval" in said or not words
    assert not causal_words(said)


def test_what_cannot_be_told_apart_is_said_of_exactly_those():
    same = (row(-0.27, -0.39, -0.14), row(-0.18, -0.31, -0.05), row(-0.09, -0.18, 0.01))
    apart = (row(-0.25, -0.37, -0.12), row(-0.18, -0.31, -0.05), row(-0.07, -0.13, -0.02))

    def said(*cases):
        return compared_sentence(
            "Between places", [(f"with similar {i}", *c) for i, c in enumerate(cases)], beside="all"
        )

    assert "It cannot be told apart from all." in said(same)
    assert "Neither can be told apart from all." in said(same, same)
    assert "None of the 3 can be told apart from all." in said(same, same, same)
    assert "The other cannot be told apart from all." in said(same, apart)
    assert "told apart" not in said(apart)
    assert said(apart, same).count("stronger") == 1


def test_lines_that_disagree_are_said_to():
    rows = {k: row(-0.2, -0.3, -0.1) for k in ("ols_robust", "ols_clustered", "mixed_region", "ols_region")}
    told = regions_sentence(rows, share=0.17, held="poverty", names=("x", "y"))
    assert "They say the same." in told
    assert "17% of what is left unexplained lies between them" in told
    rows["ols_clustered"] = row(-0.2, -0.5, 0.1)
    assert "do not all say the same" in regions_sentence(rows, share=float("nan"), held="", names=("x", "y"))
    rows["mixed_region"] = row(0, 0, 0, status="withheld", reason="it did not converge")
    assert "withheld (it did not converge)" in regions_sentence(rows, share=0.1, held="", names=("x", "y"))


def test_a_slope_in_natural_units_has_its_unit_once():
    one = row(-0.16, -0.32, 0.0, unit="Attainment 8 (points) for each 10 per 100,000 children more of admissions")
    told = slope_sentence(one, alike=row(-0.2, -0.33, -0.08), held="poverty")
    assert told == (
        "For each 10 per 100,000 children more of admissions, Attainment 8 (points) differs by −0.16, −0.32 to 0.00 "
        "(90% interval), and between places with similar poverty by −0.20, −0.33 to −0.08 (90% interval)."
    )


def test_what_is_unmeasured_is_worded_as_the_strength_it_would_need():
    bears = Robustness(-0.2, 0.06, 143, 0.06, 0.225, 0.109, 0.9, (Benchmark("p", 0.005, 0.68, -0.15, -0.21, -0.09),))
    told = unmeasured_sentence(bears, held="poverty", names={"p": "poverty"}, pair=("admissions", "attainment"))
    for needed in ("would have to account for 22% of what is left of both", "11% to make it unclear", "0.5%", "68%"):
        assert needed in told
    assert "−0.15, −0.21 to −0.09 (90% interval)" in told
    assert not causal_words(told)
    weak = Robustness(-0.02, 0.06, 143, 0.0, 0.03, 0.0, 0.9, ())
    assert "it is unclear as it is" in unmeasured_sentence(weak, held="p", names={}, pair=("x", "y"))


def table(*rows: tuple[float, float, float, str]) -> pd.DataFrame:
    columns = ["estimate", "lower", "upper", "scale"]
    return pd.DataFrame(rows, columns=columns).assign(
        status="computed", analysis="pearson", adjusted_for="", sample="all"
    )


def test_every_analysis_is_counted_with_its_kind_and_the_range():
    told = tally_sentence(
        table(
            (-0.20, -0.30, -0.10, "correlation"),
            (-0.10, -0.25, 0.05, "correlation"),
            (-0.31, -0.40, -0.20, "standard"),
            (-3.10, -4.00, -2.00, "natural"),  # the same slope said again
            (-0.05, -0.15, 0.05, "standard"),
            (-0.31, -0.40, -0.20, "standard"),  # regions did not differ: the first line again
        )
    )
    assert "Asked in 4 ways" in told
    assert "2 correlations from −0.20 to −0.10 and 2 slopes from −0.31 to −0.05" in told
    assert "2 of the 4 have intervals that leave out 0, always higher with lower" in told
    assert "no 4 separate answers" in told
    careful = table((-0.2, -0.3, -0.1, "correlation"), (-0.2, -0.5, 0.1, "correlation"))
    careful["analysis"] = ["pearson", "spearman_neighbours"]
    assert "; of the 1 that allow for the likeness of neighbours or within regions, 0 do" in tally_sentence(careful)


def test_answers_that_disagree_are_no_answer():
    told = tally_sentence(table((-0.2, -0.3, -0.1, "correlation"), (0.2, 0.1, 0.3, "standard")))
    assert "do not agree on the direction: no single answer" in told
    assert "none has an interval" in tally_sentence(
        table((-0.2, -0.5, 0.1, "correlation"), (0.2, -0.1, 0.5, "standard"))
    )


def test_contested_and_experimental_figures_are_marked():
    framework = load_framework()
    given = [framework.indicator(i) for i in ("mh_admissions_0_17", "psed_expected", "susp_rate", "attainment8")]
    said = marks(given, framework=framework)
    assert [s for s in said if "is contested:" in s and s.startswith("\u201cHospital admissions for mental health")]
    assert [s for s in said if "is contested:" in s and s.startswith("\u201cSuspensions\u201d")]
    assert said[-1] == (
        "\u201cHospital admissions for mental health, under 18\u201d and \u201cPersonal, social and emotional development "
        "at age 5\u201d belong to the domain Happy, which is experimental."
    )
    assert len(said) == 3
    names = [marked_name(i, framework=framework) for i in given]
    assert names == [
        "mental health admissions (contested and experimental)",
        "personal, social and emotional development at age 5 (experimental)",
        "suspensions (contested)",
        "Attainment 8",
    ]
