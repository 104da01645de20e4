"""The early years by cohort, read back out of the picture: every mark where its difference to England puts it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import cohorts
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.places.pathway import NOBODY, NOT_YET, STAGES
from outcomes_analysis.places.verdicts import MANY

sys.path.insert(0, str(Path(__file__).parent))
import drawn

#: By stage and cohort, from 2012/13 on: figure, half its interval, England, how it stands, and why there is none.
FIGURES: dict[str, list[tuple[float, float, float, str, str]]] = {
    "birth": [(np.nan, 0, 0, "", NOBODY), (3.5, 0.4, 2.9, "above", ""), (2.4, 0.3, 2.9, "below", ""),
              (2.8, 0.5, 2.9, "not clear", "")],
    "review": [(np.nan, 0, 0, "", "suppressed"), (60.0, 25.0, 90.0, MANY, ""), (91.0, 3.0, 90.0, "similar", ""),
               (np.nan, 0, 0, "", NOT_YET)],
    "reception": [(70.0, 1.0, 66.0, "above", ""), (np.nan, 0, 0, "", NOBODY), (64.0, 1.0, 67.0, "below", ""),
                  (np.nan, 0, 0, "", NOT_YET)],
    "year_1": [(81.0, 2.0, 80.0, "", "the figure is imputed"), (82.0, 1.0, 80.0, "above", ""),
               (np.nan, 0, 0, "", NOT_YET), (np.nan, 0, 0, "", NOT_YET)],
    "year_6": [(61.0, 1.0, 61.0, "similar", ""), *[(np.nan, 0.0, 0.0, "", NOT_YET)] * 3],
}  # fmt: skip


def _path(figures=FIGURES) -> SimpleNamespace:
    rows = []
    for stage in STAGES:
        for i, (value, half, england, standing, reason) in enumerate(figures[stage.id]):
            broken = stage.id == "reception" and i >= 2
            rows.append(
                {
                    "cohort": f"{2012 + i}/{13 + i}",
                    "stage": stage.id,
                    "age": stage.age,
                    "name": stage.indicator_id,
                    "unit": "%",
                    "decimals": 1,
                    "direction": -1 if stage.id == "birth" else 1,
                    "period": stage.period(2012 + i),
                    "value": value,
                    "lower": value - half,
                    "upper": value + half,
                    "level": 0.9,
                    "england": england if np.isfinite(value) else np.nan,
                    "standing": standing,
                    "reason": reason,
                    "segment": int(broken),
                    "break_reason": "Another profile." if broken and i == 2 else "",
                }
            )
    table = pd.DataFrame(rows).sort_values("cohort", kind="stable", ignore_index=True)
    return SimpleNamespace(name="Anywhere", table=table, manifest=SimpleNamespace(data_as_at="2026-04-08"))


@pytest.fixture(scope="module")
def figure():
    return cohorts.early_years(_path())


def _in_columns(figure) -> list[drawn.Mark]:
    """Marks of the stages; those of the key come first and are one of each sort."""
    return drawn.marks(figure.svg())[len(cohorts._KINDS) :]


def test_every_mark_stands_where_its_difference_puts_it_and_right_is_better(figure):
    data = figure.data[figure.data["difference"].notna()]
    assert list(data["difference"].round(6)) == list((data["value"] - data["england"]).round(6))
    marks, spans = iter(_in_columns(figure)), iter(drawn.strokes(figure.svg(), width="1.3"))
    zeros = [s for s in drawn.strokes(figure.svg(), width="1") if s[0] == s[2]]
    for stage, zero in zip(STAGES, zeros, strict=True):
        rows = data[data["stage"].eq(stage.id)]
        better = -1 if stage.id == "birth" else 1
        known = {0.0: zero[0]}
        for row in rows.to_dict("records"):
            mark, span = next(marks), next(spans)
            known[row["difference"]] = mark.x
            ends = (row["difference_lower"], row["difference_upper"])[::better]
            known |= {ends[0]: span[0], ends[1]: span[2]}
            assert span[1] == span[3] == pytest.approx(mark.y, abs=0.02)  # level: no line joins stages or cohorts
            if row["difference"]:
                assert (mark.x > zero[0]) == (better * row["difference"] > 0)
        slope, start = np.polyfit(list(known), list(known.values()), 1)
        # places are rounded to hundredths of a pixel
        assert np.allclose([start + slope * d for d in known], list(known.values()), atol=0.03)
    assert next(marks, None) is None


def test_more_light_babies_are_worse_and_the_words_turn_with_them(figure):
    first, second, third = _in_columns(figure)[:3]  # 3.5 beside 2.9 per cent, 2.4 and 2.8
    assert [m.fill for m in (first, second, third)] == [theme.AGAINST[0], theme.AGAINST[2], theme.PAPER]
    # newest: birth not clear; 64 beside 67 clearly worse; phonics 82 beside 80; Key Stage 2 alike
    assert figure.title == (
        "Anywhere, newest figures beside England: clearly better on phonics at 6; clearly worse on development at 5; "
        "similar on Key Stage 2 at 11; not clear on low birth weight"
    )


def test_what_is_missing_and_where_years_cannot_be_compared_is_shown(figure):
    words = drawn.texts(figure.svg())
    # by hand from FIGURES: nobody has two, one is suppressed, seven lie ahead
    assert [words.count(w) for w in ("nowhere", "not here", "not yet")] == [2, 1, 7]
    dashed = [s for s in drawn.strokes(figure.svg(), width="1.2") if s[1] == s[3]]
    assert len(dashed) == 2  # one in the key
    cut, rows = dashed[-1][1], {t: y for t, _, y in drawn.text_places(figure.svg()) if t in ("2013/14", "2014/15")}
    assert rows["2013/14"] < cut < rows["2014/15"]
    told = " ".join(figure.notes)
    assert "Breaks: development at 5, 2019/20: another profile." in told
    assert "Not judged: the figure is imputed." in told
    assert "lower is better on low birth weight, whose scale is turned" in told
    assert "at 5, 2019/20" in told


@pytest.mark.parametrize("size", ["page", "column", "slide", "web"])
def test_no_text_overlaps_or_leaves_the_picture_at_any_size(figure, size):
    svg = figure.at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)
    assert drawn.texts(svg).count("Born") == (2 if size == "column" else 1)


def test_a_place_without_a_path_is_said_to_have_none():
    one = {s: [(np.nan, 0.0, 0.0, "", NOBODY)] * 4 for s in FIGURES} | {"year_6": FIGURES["year_6"]}
    for path in (_path(one), SimpleNamespace(name="Scilly", table=pd.DataFrame())):
        with pytest.raises(FigureError, match="no cohort with figures at 2 stages"):
            cohorts.early_years(path)
