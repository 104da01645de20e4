"""Every way the publishers write a period, with the dates it stands for."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes_analysis.errors import PeriodError
from outcomes_analysis.observations.periods import parse_period, parse_periods, year_of

ACADEMIC = ("2024/25", date(2024, 9, 1), date(2025, 8, 31), "academic")
FINANCIAL = ("2024/25", date(2024, 4, 1), date(2025, 3, 31), "financial")

CASES = [
    ("202425", "academic", *ACADEMIC),
    ("202425", "financial", *FINANCIAL),
    ("202425 Academic year", None, *ACADEMIC),
    ("2025 Calendar year", None, "2025", date(2025, 1, 1), date(2025, 12, 31), "calendar"),
    ("2025 Reporting year", "financial", *FINANCIAL),
    (202425, "academic", *ACADEMIC),
    ("2025", "academic", *ACADEMIC),
    ("2025", "financial", *FINANCIAL),
    (2025.0, "financial", *FINANCIAL),
    ("2025", "calendar", "2025", date(2025, 1, 1), date(2025, 12, 31), "calendar"),
    ("2025", None, "2025", date(2025, 1, 1), date(2025, 12, 31), "calendar"),
    ("2025", "march_31", "2025-03-31", date(2025, 3, 31), date(2025, 3, 31), "march_31"),
    ("2024/25", "march_31", "2025-03-31", date(2025, 3, 31), date(2025, 3, 31), "march_31"),
    ("2024", "mid_year", "2024", date(2024, 6, 30), date(2024, 6, 30), "mid_year"),
    ("2010/11", "financial", "2010/11", date(2010, 4, 1), date(2011, 3, 31), "financial"),
    ("1999/00", "academic", "1999/00", date(1999, 9, 1), date(2000, 8, 31), "academic"),
    ("2025-26", "academic", "2025/26", date(2025, 9, 1), date(2026, 8, 31), "academic"),
    ("2016-17 (OT)", "financial", "2016/17", date(2016, 4, 1), date(2017, 3, 31), "financial"),
    ("2016-17", "pooled_calendar", "2016-17", date(2016, 1, 1), date(2017, 12, 31), "pooled_calendar"),
    ("2014-16", "pooled_calendar", "2014-16", date(2014, 1, 1), date(2016, 12, 31), "pooled_calendar"),
    ("2014-16", None, "2014-16", date(2014, 1, 1), date(2016, 12, 31), "pooled_calendar"),
    ("2020 - 22", "calendar", "2020-22", date(2020, 1, 1), date(2022, 12, 31), "pooled_calendar"),
    ("2009 - 11", None, "2009-11", date(2009, 1, 1), date(2011, 12, 31), "pooled_calendar"),
    ("2009 \u2013 11", None, "2009-11", date(2009, 1, 1), date(2011, 12, 31), "pooled_calendar"),
    ("2021/22 - 23/24", "financial", "2021/22-23/24", date(2021, 4, 1), date(2024, 3, 31), "pooled_financial"),
    ("2013/14-15/16", "pooled_financial", "2013/14-15/16", date(2013, 4, 1), date(2016, 3, 31), "pooled_financial"),
    ("2020/21 - 24/25", "academic", "2020/21-24/25", date(2020, 9, 1), date(2025, 8, 31), "pooled_academic"),
    ("2024-09-01/P1Y", None, *ACADEMIC),
    ("2024-08-01/P1Y", "academic", *ACADEMIC),
    ("2024-04-01/P1Y", None, *FINANCIAL),
    ("2024-04-01/P1Y", "march_31", "2025-03-31", date(2025, 3, 31), date(2025, 3, 31), "march_31"),
    ("2024-01-01/P1Y", None, "2024", date(2024, 1, 1), date(2024, 12, 31), "calendar"),
    ("2021-04-01/P3Y", None, "2021/22-23/24", date(2021, 4, 1), date(2024, 3, 31), "pooled_financial"),
    ("2024-05-15", None, "2024-05-15", date(2024, 5, 15), date(2024, 5, 15), "point"),
    ("2024-03-31", "march_31", "2024-03-31", date(2024, 3, 31), date(2024, 3, 31), "march_31"),
    ("2022/2023", "academic", "2022/23", date(2022, 9, 1), date(2023, 8, 31), "academic"),
    ("2022/2023 AY", None, "2022/23", date(2022, 9, 1), date(2023, 8, 31), "academic"),
    ("2024|W23", None, "2024-W23", date(2024, 6, 3), date(2024, 6, 9), "week"),
    ("FYE 2025", None, *FINANCIAL),
    ("year ending March 2025", None, *FINANCIAL),
    ("2024 Q2", None, "2024 Q2", date(2024, 4, 1), date(2024, 6, 30), "quarter"),
    ("2024/25 Q4", None, "2024/25 Q4", date(2025, 1, 1), date(2025, 3, 31), "quarter"),
    ("20100000", "financial", "2010/11", date(2010, 4, 1), date(2011, 3, 31), "financial"),
]


@pytest.mark.parametrize(("text", "kind", "label", "start", "end", "read_as"), CASES)
def test_every_grammar(text, kind, label, start, end, read_as):
    period = parse_period(text, kind=kind)
    assert (period.label, period.start, period.end, period.kind, period.flags) == (label, start, end, read_as, "")


@pytest.mark.parametrize(
    ("text", "flags"),
    [("2025 (prov)", "provisional"), ("2018 (Rev)", "revised"), ("2020 (Final)", ""), ("2023/24 (p)", "provisional")],
)
def test_notes_in_brackets_become_flags(text, flags):
    assert parse_period(text, kind="academic").flags == flags


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("0", "academic", "no grammar knows it"),  # an error in LAIT
        ("", "academic", "no grammar knows it"),
        ("latest", None, "no grammar knows it"),
        ("2024/25", None, "academic or a financial year; give the kind"),
        ("2024-25", None, "academic or a financial year; give the kind"),
        ("2021/22 - 23/24", None, "academic or financial years; give the kind"),
        ("2025 Reporting year", None, "give the kind"),
        ("2024/26", "academic", "must be the next one"),
        ("202426", "academic", "not the next year"),
        ("2014-16", "academic", "cannot be read as kind 'academic'"),
        ("2016-14", "calendar", "does not follow|more than ten"),
        ("2024-09-01/P1Y", "financial", "makes it academic"),
        ("2024-07-01/P1Y", None, "are known to start"),
        ("2024-02-30", None, "no such date"),
        ("2024-06-30", "march_31", "not the day"),
        ("2024|W54", None, "no such date"),
        ("2025 Academic year", "financial", "it says academic year"),
        ("2025", "pooled_calendar", "cannot be read as kind"),
        ("1066", "calendar", "outside 1900 to 2100"),
        ("2025", "fiscal", "Unknown kind of period 'fiscal'"),
    ],
)
def test_what_no_grammar_knows_is_refused_with_the_reason(text, kind, why):
    with pytest.raises(PeriodError, match=why):
        parse_period(text, kind=kind)


def test_a_refusal_names_text_grammars_and_kinds():
    with pytest.raises(PeriodError, match=r"'0' is not a period.*Known forms: 2025, 202425.*kinds: academic"):
        parse_period("0")


def test_columns_are_read_once_a_text_and_keep_their_index():
    texts = pd.Series(["2024/25", "2025 (prov)", "2024/25"], index=[5, 9, 2])
    table = parse_periods(texts, kind="academic")
    assert list(table.index) == [5, 9, 2]
    assert list(table["period"]) == ["2024/25"] * 3
    assert list(table["flags"]) == ["", "provisional", ""]
    assert table["period_end"].dt.strftime("%Y-%m-%d").unique().tolist() == ["2025-08-31"]
    assert table["period_start"].dtype == "datetime64[s]"


def test_a_column_names_every_bad_text_and_its_rows():
    texts = pd.Series(["2024/25", "0", None, "0", "never"])
    with pytest.raises(PeriodError) as caught:
        parse_periods(texts, kind="academic", where="lait.csv", first_row=2)
    message = str(caught.value)
    assert message.startswith("lait.csv: 3 texts are not a period")
    assert "'0' is not a period: no grammar knows it (rows 3, 5)" in message
    assert "'never' is not a period: no grammar knows it (row 6)" in message


@given(
    st.integers(1950, 2090),
    st.sampled_from(["academic", "financial", "calendar", "march_31", "mid_year"]),
    st.sampled_from(["", " (prov)", " (Rev)"]),
)
def test_single_years_go_round(year, kind, note):
    period = parse_period(f"{year}{note}", kind=kind)
    again = parse_period(period.label, kind=kind)
    assert (again.label, again.start, again.end, again.kind) == (period.label, period.start, period.end, period.kind)
    assert year_of(period.label) == period.end.year == year


@given(st.integers(1950, 2080), st.integers(1, 9), st.sampled_from(["academic", "financial", "calendar"]))
def test_pooled_years_go_round(first, more, kind):
    last = first + more
    text = f"{first} - {last}" if kind == "calendar" else f"{first}/{first + 1} - {last}/{last + 1}"
    period = parse_period(text, kind=f"pooled_{kind}")
    again = parse_period(period.label, kind=period.kind)
    assert again == period
    assert year_of(period.label) == period.end.year
    # n whole years, give or take leap days
    assert abs((period.end - period.start).days + 1 - 365.25 * (more + 1)) < 2


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
def test_days_and_weeks_go_round(day):
    point = parse_period(day.isoformat())
    assert point.start == point.end == day
    assert year_of(point.label) == day.year
    iso = day.isocalendar()
    week = parse_period(f"{iso.year}|W{iso.week}")
    assert week.start <= day <= week.end
    assert parse_period(week.label) == week


@given(st.text(max_size=24))
def test_any_text_is_read_or_refused(text):
    try:
        period = parse_period(text, kind="academic")
    except PeriodError:
        return
    assert period.start <= period.end


def test_every_label_of_the_mirror_is_known(mirror):
    lait = pd.read_parquet(mirror / "dfe_lait" / "bds_long_0.parquet", columns=["Years"])["Years"].unique()
    # One label is a known defect ("0"); pooled calendar years need no kind, everything else reads as academic.
    refused = []
    for text in lait:
        try:
            parse_period(text, kind="academic")
        except PeriodError:
            try:
                parse_period(text)
            except PeriodError:
                refused.append(text)
    assert refused == ["0"]
