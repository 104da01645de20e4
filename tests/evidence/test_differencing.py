"""What is suppressed cannot be worked out from packs, one or several, by a solver that reads every number in them."""

from __future__ import annotations

import io
import itertools
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from scipy.optimize import linprog

from outcomes_analysis.evidence.joined_pages import joined_tables
from outcomes_analysis.evidence.packing import pack_files
from outcomes_analysis.figures.exporting import safe_csv
from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling
from outcomes_analysis.observations.contract import COLUMNS
from outcomes_analysis.places import area_profile, holding_back, joining, place_of_districts
from outcomes_analysis.places.holding_back import THRESHOLD

ESSEX, ENGLAND = "E10000012", "E92000001"
DISTRICTS = [f"E070000{k}" for k in range(66, 78)]  # the twelve of Essex
EPPING, HARLOW, UTTLESFORD, BRAINTREE = "E07000072", "E07000073", "E07000077", "E07000067"
WEST = (EPPING, HARLOW, UTTLESFORD)
YEARS = (2023, 2024)
CHILDREN = np.array([9007, 8111, 7213, 6317, 9419, 8521, 7621, 6733, 9833, 8929, 7027, 6131])  # of each, every year
DECIMALS = 3  # finer than any publisher's, so that the solver knows nearly everything of what is told


@pytest.fixture(scope="module")
def framework():
    nodes = (Node(id="learning", label="Learning", kind="domain"),
             Node(id="o", label="o", kind="outcome", parent="learning"))  # fmt: skip
    indicator = Indicator(
        id="share", name="Share of children", definition="X", unit="%", direction=1, outcome="o", form="proportion",
        age_stage="5", geography_basis="residence", base_period="2024", source="s", decimals=DECIMALS,
        cannot_tell="Much.", sampling=Sampling(model="none"),
    )  # fmt: skip
    return Framework(id="t", label="T", version="1", date="2026-01-01", source_url="", notice="Made up.", nodes=nodes,
                     indicators=(indicator,))  # fmt: skip


def release(counts, hidden, pooled=False):
    """Figures of the districts, Essex and England; ``counts`` is districts by years, ``hidden`` (code, year) pairs."""
    spans = [(str(y), y, y, counts[:, k]) for k, y in enumerate(YEARS)]
    if pooled:
        spans.append(("2023 to 2024", YEARS[0], YEARS[1], counts.sum(axis=1)))
    found = []
    for period, first, last, number in spans:
        of = CHILDREN * (last - first + 1)
        cells = dict(zip(DISTRICTS, zip(number, of, strict=True), strict=True))
        cells |= {ESSEX: (number.sum(), of.sum()), ENGLAND: (500_009.0, 1_300_021.0)}
        for code, (n, children) in cells.items():
            gone = (code, period) in hidden
            found.append({
                "indicator_id": "share", "area_code": code, "period": period, "group_type": "all", "group": "all",
                "period_start": pd.Timestamp(first, 1, 1), "period_end": pd.Timestamp(last, 12, 31),
                "value": np.nan if gone else 100 * n / children, "numerator": np.nan if gone else float(n),
                "denominator": float(children), "se_total": 1.0, "flags": "", "source_id": "s",
                "status": "suppressed" if gone else "published",
            })  # fmt: skip
    frame = pd.DataFrame(found)
    return frame.assign(**{c: np.nan for c in COLUMNS if c not in frame})


# ---------------------------------------------------------------------------------------------------- the solver


def forms():
    """Sums that a number of a pack may stand for: over (district, year), and the children counted.

    Any part of West Essex or of Essex without it, the whole of each, and each without any one or two districts; in
    either year or both.
    """
    parts = [c for k in range(1, 4) for c in itertools.combinations(WEST, k)]
    rest = tuple(d for d in DISTRICTS if d not in WEST)
    singles = [(d,) for d in DISTRICTS]
    without = [tuple(d for d in DISTRICTS if d not in out)
               for k in range(3) for out in itertools.combinations(DISTRICTS, k)]  # fmt: skip
    sets = {frozenset(s) for s in [*parts, *singles, *without, *((*rest, *p) for p in parts)]}
    for years in ([0], [1], [0, 1]):
        for codes in sorted(sets, key=sorted):
            mask = np.zeros((len(DISTRICTS), len(YEARS)))
            mask[np.ix_([DISTRICTS.index(c) for c in codes], years)] = 1
            yield mask.ravel(), float(CHILDREN[[DISTRICTS.index(c) for c in codes]].sum() * len(years))


FORMS = list(forms())
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")


def numbers_in(files):
    """Every number written anywhere in the files of packs, as text; a file of pictures counts its words."""
    found = set()
    for name, content in files.items():
        if name.endswith(".xlsx"):
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            text = " ".join(str(x) for sheet in book.sheet_names for row in book.get_sheet_by_name(sheet).to_python()
                            for x in row)  # fmt: skip
        else:
            text = re.sub(r"<style>.*?</style>", " ", content.decode(), flags=re.S)
            text = re.sub(r"<[^>]*>", " ", text)
        found.update(NUMBER.findall(text))
    return found


def equations(files, counts):
    """Number by number: what it says of the counts if it stands for a sum or a percentage of the right size.

    The solver is told which it is, as one who knows the publisher's tables would know, and knows all numbers of
    children.
    """
    truth = counts.ravel().astype(float)
    masks, children = np.array([m for m, _ in FORMS]), np.array([n for _, n in FORMS])
    sums = masks @ truth
    rows, low, high = [], [], []
    for text in numbers_in(files):
        value = Decimal(text.replace(",", ""))
        half = float(Decimal(1).scaleb(value.as_tuple().exponent)) / 2
        if value.as_tuple().exponent <= -2:  # a percentage
            slack = half * children / 100
            fits = np.abs(sums - float(value) * children / 100) <= slack + 1e-9
        else:
            slack = np.zeros(len(sums))
            fits = (sums == float(value)) & (sums >= 1000)  # a smaller one could be any number
        for k in np.flatnonzero(fits):
            centre = float(value) * children[k] / 100 if value.as_tuple().exponent <= -2 else sums[k]
            rows.append(masks[k])
            low.append(centre - slack[k])
            high.append(centre + slack[k])
    return np.array(rows).reshape(-1, truth.size), np.array(low), np.array(high)


def ranges(files, counts, hidden):
    """Least and most each suppressed count can be, given everything written."""
    rows, low, high = equations(files, counts)
    bounds = [(0.0, float(CHILDREN[d])) for d in range(len(DISTRICTS)) for _ in YEARS]
    if len(rows):
        above, limit = np.vstack([rows, -rows]), np.concatenate([high, -low]) + 1e-6
    found = {}
    for code, period in hidden:
        if code == ESSEX or not period.isdigit():
            continue
        at = DISTRICTS.index(code) * len(YEARS) + YEARS.index(int(period))
        ends = []
        for sign in (1.0, -1.0):
            target = np.zeros(len(bounds))
            target[at] = sign
            solved = linprog(
                target, A_ub=above if len(rows) else None, b_ub=limit if len(rows) else None, bounds=bounds
            )
            assert solved.status == 0
            ends.append(sign * solved.fun)
        found[(code, period)] = tuple(ends)
    return found


def wide_enough(found):
    """Whether nothing is known beyond what the mark says: fewer than the threshold."""
    return all(low <= 1.0 and high >= THRESHOLD - 1 for low, high in found.values())


def files_of(table, framework, hidden):
    """Packs of Essex, of a district, and of places made of districts, their files under names that do not clash.

    The places are those of which the sums would tell most: West Essex, parts of it, all of Essex, and all but what is
    suppressed.
    """
    rest = [d for d in DISTRICTS if d not in {code for code, _ in hidden}]
    places = [("West Essex", []), ("Two", [HARLOW, UTTLESFORD]), ("All", DISTRICTS), ("Rest", rest)]
    told = holding_back.district_figures_told(table, framework=framework)
    packs = [area_profile(name, observations=told, framework=framework, neighbours=None) for name in ("Essex", HARLOW)]
    packs += [place_of_districts(name, codes, observations=table, framework=framework) for name, codes in places]
    return {
        f"{k}-{name}": content
        for k, place in enumerate(packs)
        for name, content in pack_files(place, figures={}, asked={}).items()
        if name != "manifest.json"
    }


def counts_with(**small):
    """Made-up counts that no two sums share, with small ones where wanted."""
    rng = np.random.default_rng(3)
    counts = np.stack([rng.integers(CHILDREN // 5, CHILDREN // 2) for _ in YEARS], axis=1)
    for code, (year, number) in small.items():
        counts[DISTRICTS.index(code), YEARS.index(year)] = number
    return counts


CASES = {
    "inside": ({HARLOW: (2024, 3)}, {(HARLOW, "2024")}, False),
    "outside": ({BRAINTREE: (2024, 3)}, {(BRAINTREE, "2024")}, False),
    "two outside": (
        {BRAINTREE: (2024, 3), "E07000066": (2024, 4)},
        {(BRAINTREE, "2024"), ("E07000066", "2024")},
        False,
    ),
    "inside and outside": ({HARLOW: (2024, 3), BRAINTREE: (2024, 6)}, {(HARLOW, "2024"), (BRAINTREE, "2024")}, False),
    "a year of two": ({HARLOW: (2023, 2)}, {(HARLOW, "2023")}, True),
    "the whole county": ({}, {(ESSEX, "2024")}, False),
}


@pytest.mark.parametrize("case", [c if c == "inside" else pytest.param(c, marks=pytest.mark.slow) for c in CASES])
def test_packs_of_essex_and_west_essex_tell_nothing_of_what_is_suppressed(framework, case):
    small, hidden, pooled = CASES[case]
    counts = counts_with(**small)
    table = release(counts, hidden, pooled)
    files = files_of(table, framework, hidden)
    assert wide_enough(ranges(files, counts, hidden))
    if case == "the whole county":
        whole = f"{100 * counts[:, 1].sum() / CHILDREN.sum():.{DECIMALS}f}"
        assert whole not in numbers_in(files)
    # a solver that finds nothing because nothing was told would prove nothing
    assert len(equations(files, counts)[0]) >= 10


@pytest.mark.parametrize(
    "case", ["outside", *(pytest.param(c, marks=pytest.mark.slow) for c in ("inside", "a year of two"))]
)
def test_without_the_second_figure_held_back_the_solver_finds_what_is_suppressed(framework, monkeypatch, case):
    small, hidden, pooled = CASES[case]
    counts = counts_with(**small)
    table = release(counts, hidden, pooled)

    def first_only(rows, **_):
        return rows["status"].eq("suppressed").rename("held")

    monkeypatch.setattr(joining, "held_back", first_only)
    monkeypatch.setattr(holding_back, "held_back", first_only)
    found = ranges(files_of(table, framework, hidden), counts, hidden)
    assert not wide_enough(found)
    for (code, year), (low, high) in found.items():
        true = counts[DISTRICTS.index(code), YEARS.index(int(year))]
        assert low - 1e-3 <= true <= high + 1e-3


def tables_of(table, framework, hidden):
    """The tables of packs as CSV, those the files are written from, and Essex's own figures: quicker than the files."""
    made = {}
    rest = [d for d in DISTRICTS if d not in {code for code, _ in hidden}]
    for name, codes in (("West Essex", WEST), ("All", DISTRICTS), ("Rest", rest)):
        place = place_of_districts(name, codes, observations=table, framework=framework)
        made |= {f"{name}-{t.id}.csv": safe_csv(t.frame).encode() for t in joined_tables(place) if t.id != "sources"}
        made[f"{name}.txt"] = place.text.encode()
    county = table[table["area_code"].eq(ESSEX)]
    return made | {"Essex.csv": safe_csv(county[["period", "value"]].round(DECIMALS)).encode()}


@settings(max_examples=6)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 11), st.integers(0, 2**32 - 1))
def test_whatever_is_small_stays_hidden(framework, numbers, first, seed):
    rng = np.random.default_rng(seed)
    counts = np.stack([rng.integers(CHILDREN // 9, CHILDREN // 2) for _ in YEARS], axis=1)
    at = [(first + 5 * k) % len(DISTRICTS) for k in range(len(numbers))]
    years = rng.integers(0, len(YEARS), len(numbers))
    counts[at, years] = numbers
    hidden = {(DISTRICTS[d], str(YEARS[y])) for d, y in zip(at, years, strict=True)}
    table = release(counts, hidden, pooled=bool(seed % 2))
    # a suppressed figure of two years is of a district with a small one of one year, or the publisher told too much
    assert wide_enough(ranges(tables_of(table, framework, hidden), counts, hidden))
