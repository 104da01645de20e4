"""The one sentence: both answers in it, and no more than their intervals bear."""

from __future__ import annotations

import pandas as pd
import pytest

from outcomes_analysis.relations.headlines import numbers_of, sentence_of, title_of
from outcomes_analysis.wording import causal_words

PAIR = ("admissions", "attainment")
NAMES = {"before": "child poverty before housing costs", "after": "child poverty after housing costs"}
CLEAR, LESS, NOT, TURNED = (-0.3, -0.4, -0.2), (-0.19, -0.3, -0.1), (-0.1, -0.3, 0.1), (0.3, 0.2, 0.4)
ALIKE = "similar child poverty before or after housing costs"


def table(plain, before=None, after=None, *, careful: bool = True) -> pd.DataFrame:
    rows = []
    for held, numbers in (("", plain), ("before", before), ("after", after)):
        if numbers is None:
            continue
        given = dict(zip(("estimate", "lower", "upper"), numbers, strict=True))
        shared = {"adjusted_for": held, "sample": "all", "level": 0.9, "status": "computed", "n": 146}
        kinds = ["spearman", *(["spearman_neighbours"] if careful else [])]
        rows += [shared | given | {"analysis": kind} for kind in kinds]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ((NOT,), "No clear association between admissions and attainment across authorities"),
        (
            (NOT, NOT, NOT),
            "No clear association between admissions and attainment across authorities, "
            f"with or without places with {ALIKE}",
        ),
        (
            (NOT, CLEAR, NOT),
            "No clear association between admissions and attainment; a weak negative one at similar child poverty, by "
            "one of two measures",
        ),
        (
            (NOT, CLEAR, LESS),
            "No clear association between admissions and attainment; a very weak to weak negative one at similar child "
            "poverty",
        ),
        ((NOT, CLEAR), "No clear association between admissions and attainment; a weak negative one at similar child poverty before housing costs"),
        ((NOT, CLEAR, TURNED), "No clear association between admissions and attainment; at similar child poverty its direction depends on the measure"),
        ((CLEAR, LESS, NOT), "Places with higher admissions tended to have somewhat lower attainment; at similar child poverty this is clear by only one of two measures"),
        ((CLEAR, LESS, CLEAR), f"Places with higher admissions tended to have somewhat lower attainment, also among places with {ALIKE}"),
        ((CLEAR, NOT, NOT), f"Places with higher admissions tended to have somewhat lower attainment, but not clearly among places with {ALIKE}"),
        (
            (CLEAR, TURNED, TURNED),
            "Places with higher admissions tended to have somewhat lower attainment; a weak positive association at "
            "similar child poverty",
        ),
    ],
)  # fmt: skip
def test_the_title_has_the_plain_answer_and_that_among_like_places(given, title):
    found = title_of(table(*given), pair=PAIR, names=NAMES)
    assert found == title.replace("with or without places with", "with or without")
    assert not causal_words(found)


def test_different_things_held_alike_are_named_in_the_title():
    names = {"before": "child poverty", "after": "deprivation"}
    found = title_of(table(NOT, CLEAR, NOT), pair=PAIR, names=names)
    assert found.endswith("; a weak negative one at similar child poverty, not at similar deprivation")
    names["after"] = "child benefit"  # one word in common does not make two measures of one thing
    found = title_of(table(NOT, CLEAR, NOT), pair=PAIR, names=names)
    assert found.endswith("; a weak negative one at similar child poverty, not at similar child benefit")


def test_the_sentence_has_every_number_and_says_whether_neighbours_are_allowed_for():
    found = sentence_of(table(NOT, CLEAR, NOT), pair=PAIR, names=NAMES)
    assert found == (
        "With the likeness of neighbours allowed for, there is no clear association between admissions and attainment "
        "as they stand (rank correlation \u22120.10, \u22120.30 to 0.10); between places with similar child poverty "
        "before housing costs, higher admissions went with somewhat lower attainment (\u22120.30, \u22120.40 to "
        "\u22120.20); after housing costs, no clear one (\u22120.10, "
        "\u22120.30 to 0.10) (90% intervals)."
    )
    plain = sentence_of(table(CLEAR, careful=False), pair=PAIR, names=NAMES)
    assert plain.startswith("Places with higher admissions tended to have somewhat lower attainment")
    assert "neighbours" not in plain
    assert plain.endswith("(90% interval).")


def test_one_case_without_neighbours_is_owned_up_to():
    mixed = table(CLEAR, CLEAR)
    mixed = mixed[~(mixed["analysis"].eq("spearman_neighbours") & mixed["adjusted_for"].eq("before"))]
    assert "Not all of these intervals allow" in sentence_of(mixed, pair=PAIR, names=NAMES)


def test_numbers_for_a_subtitle():
    assert numbers_of(table(NOT, CLEAR), names=NAMES) == (
        "\u22120.10, \u22120.30 to 0.10; with similar child poverty before housing costs \u22120.30, \u22120.40 to "
        "\u22120.20 (90% intervals, likeness of neighbours allowed for)"
    )
