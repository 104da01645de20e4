"""Change between two years: sums by hand, errors by simulation, breaks refused, timing and presence kept apart."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outcomes_analysis.index.years.changing as module
from outcomes_analysis.errors import SpecError
from outcomes_analysis.index import GeometricMean, IndexSpec, build_index, index_change
from outcomes_analysis.index.reading.decomposing import Cells, cells, contributions, difference, exchange
from outcomes_analysis.index.steps.aggregation import weighted_mean
from outcomes_analysis.index.years.changing import PARTS, _overlap
from outcomes_analysis.pipeline import default_index
from outcomes_analysis.wording import signed

MEANS = {"arithmetic": "arithmetic", "geometric": GeometricMean(offset=100, factor=10)}

HACKNEY = "E09000012"
SOME = ("safe", "engaged")


@pytest.fixture(scope="module")
def years():
    return default_index(2024), default_index(2025)


@pytest.fixture(scope="module")
def change(years):
    return index_change(*years)


def altered(index, frames, *, spec=None, **changes):
    """The same index with cells of its matrix changed: (frame, area, indicator, value)."""
    matrix = index.matrix
    parts = {}
    for frame, area, name, value in frames:
        parts[frame] = parts.get(frame, getattr(matrix, frame).copy())
        parts[frame].loc[area, name] = value
    return build_index(replace(matrix, **parts, **changes), spec=spec or index.spec)


def later_copy(index, **changes):
    """The index a year on with nothing measured since: every figure a year older."""
    matrix = index.matrix
    return build_index(replace(matrix, period=matrix.period + 1, age=matrix.age + 1, **changes), spec=index.spec)


def row(result, node, area=HACKNEY):
    table = result.table
    return table[(table["node_id"] == node) & (table["area_code"] == area)].iloc[0]


def test_the_change_is_the_difference_of_the_published_scores(years, change):
    first, second = years
    for name in ("safe", "learning", "attending", "gld_pct"):
        rows = change.table[change.table["node_id"] == name].set_index("area_code")
        expected = second.scores[name] - first.scores[name]
        pd.testing.assert_series_equal(rows["estimate"], expected, check_names=False, rtol=1e-12)


def test_a_change_stands_beside_englands_own(years, change):
    rows = change.table[change.table["node_id"] == "learning"]
    own = [index.table.query("node_id == 'learning'")["england"].iloc[0] for index in years]
    assert rows["england"].to_numpy() == pytest.approx(own[1] - own[0])
    more, less = int((rows["lower"] > own[1] - own[0]).sum()), int((rows["upper"] < own[1] - own[0]).sum())
    assert f"{more} authorities moved clearly more favourably than that and {less} clearly less" in change.text


def test_the_text_counts_the_verdicts_of_the_table(change):
    told = 0
    for (_, label), rows in change.table.query("kind == 'domain'").groupby(["node_id", "node_label"]):
        said = re.search(rf"{label}: (\d+) authorit\w+ improved and (\d+) worsened clearly out of (\d+)", change.text)
        count = {verdict: int((rows["verdict"] == verdict).sum()) for verdict in ("improved", "worsened", "not_clear")}
        if said:
            told += 1
            assert [int(n) for n in said.groups()] == [count["improved"], count["worsened"], sum(count.values())]
            middle = rows.loc[rows["status"] != "not_computed", "measured"].median()
            assert f"measured change is {signed(middle, 2)}." in change.text[said.end() : said.end() + 60]
    assert told >= 2


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric"])
def test_parts_and_indicators_add_up_exactly(years, aggregation):
    spec = IndexSpec(aggregate=MEANS[aggregation], overall=True)
    result = index_change(*(build_index(i.matrix, spec=spec) for i in years), nodes=[*SOME, "overall", "attending"])
    table = result.table[result.table["status"] != "not_computed"]
    # Sums of a dozen numbers of order one in double precision.
    assert table[list(PARTS)].sum(axis=1).to_numpy() == pytest.approx(table["estimate"].to_numpy(), abs=1e-12)
    shown = table[table["kind"] != "indicator"].set_index(["node_id", "area_code"])["estimate"]
    added = result.parts.groupby(["node_id", "area_code"])["contribution"].sum().reindex(shown.index).fillna(0)
    assert added.to_numpy() == pytest.approx(shown.to_numpy(), abs=1e-12)
    assert set(result.parts["node_id"]) >= {"overall", "safe", "attending"}


def test_one_area_by_hand(years, change):
    """Hackney, attending: three indicators with the same weights in both years, so weight times movement."""
    first, second = years
    weights = second.nodes["attending"].weights["weight"]
    moved = pd.Series({n: second.scores.at[HACKNEY, n] - first.scores.at[HACKNEY, n] for n in weights.index}) * weights
    mine = change.parts[(change.parts["node_id"] == "attending") & (change.parts["area_code"] == HACKNEY)]
    assert mine.set_index("indicator_id")["contribution"].to_dict() == pytest.approx(moved.to_dict())
    assert set(mine["part"]) == {"measured"}
    found = mine.set_index("indicator_id").loc["absence_overall"]
    assert (found["measured_earlier"], found["measured_later"]) == (
        first.matrix.measured.at[HACKNEY, "absence_overall"],
        second.matrix.measured.at[HACKNEY, "absence_overall"],
    )
    errors = [i.nodes["attending"].error[i.matrix.areas.index.get_loc(HACKNEY)] for i in years]
    one = row(change, "attending")
    # 1.645 is the 95th centile of the normal: years of one calendar year each share no time.
    assert (one["upper"] - one["lower"]) / 2 == pytest.approx(1.644853627 * np.hypot(*errors), rel=1e-8)


def test_a_figure_that_stays_the_same_has_not_moved_and_has_no_error(years):
    first = years[0]
    result = index_change(first, later_copy(first), nodes=SOME)
    table = result.table[result.table["status"] != "not_computed"]
    assert (table["estimate"] == 0).all()
    assert (table["upper"] == table["lower"]).all()
    assert set(table["verdict"]) == {"unchanged"}
    assert table["p_improved"].isna().all()
    assert result.parts.empty
    assert "nothing was measured anew" in result.text


def test_only_the_new_figure_carries_error_when_one_of_a_domain_is_new(years):
    first = years[0]
    second = later_copy(first)
    fresh = altered(
        second,
        [
            ("measured", HACKNEY, "fte_yjs", "2099"),
            ("transformed", HACKNEY, "fte_yjs", first.matrix.transformed.at[HACKNEY, "fte_yjs"] - 0.5),
            ("values", HACKNEY, "fte_yjs", 1.0),
            ("age", HACKNEY, "fte_yjs", first.matrix.age.at[HACKNEY, "fte_yjs"]),
        ],
    )
    one = row(index_change(first, fresh, nodes=SOME), "engaged")
    at = first.matrix.areas.index.get_loc(HACKNEY)
    weight = first.nodes["engaged"].weights.at["fte_yjs", "weight"]
    error = weight * np.hypot(*(index.counted_error["fte_yjs"].iloc[at] for index in (first, fresh)))
    assert one["estimate"] == pytest.approx(0.25 * 0.5 / first.matrix.reference.at["fte_yjs", "scale"])
    assert (one["upper"] - one["estimate"]) / 1.644853627 == pytest.approx(error, rel=1e-8)
    assert one["measured"] == pytest.approx(one["estimate"])
    assert 0.5 < one["p_improved"] < 1
    assert row(index_change(first, fresh, nodes=SOME), "safe")["verdict"] == "unchanged"


def test_refreshed_timing_is_named_as_that(years):
    """A figure three years old gives way to a new one: the score moves, and no verdict is passed."""
    first = altered(years[0], [("age", HACKNEY, "fte_yjs", 3.0)])
    x = first.matrix.transformed.at[HACKNEY, "fte_yjs"]
    second = altered(
        later_copy(first),
        [
            ("measured", HACKNEY, "fte_yjs", "2099"),
            ("values", HACKNEY, "fte_yjs", 1.0),
            ("transformed", HACKNEY, "fte_yjs", x - 9),
            ("age", HACKNEY, "fte_yjs", 0.0),
        ],
    )
    result = index_change(first, second, nodes=SOME)
    one = row(result, "engaged")
    assert one["timing"] == pytest.approx(one["estimate"])
    assert one["timing"] > 0
    assert one["measured"] == 0
    assert one["verdict"] == "timing_only"
    assert one["p_improved"] > 0.9
    assert np.isnan(one["p_measured_improved"])
    assert "comes only from refreshed timing" in result.text
    assert "in 1 authority" in result.text


def test_an_indicator_gone_is_presence_not_change(years):
    first = years[0]
    gone = altered(
        later_copy(first), [("transformed", HACKNEY, "fte_yjs", np.nan), ("values", HACKNEY, "fte_yjs", np.nan)]
    )
    result = index_change(first, gone, nodes=SOME)
    one = row(result, "engaged")
    assert one["estimate"] != 0
    assert one["present"] == pytest.approx(one["estimate"], rel=1e-12)
    assert one["verdict"] == "present_only"
    assert "comes only from other indicators being present" in result.text
    mine = result.parts[(result.parts["node_id"] == "engaged") & (result.parts["area_code"] == HACKNEY)]
    worst = mine.loc[mine["contribution"].abs().idxmax()]
    assert worst["indicator_id"] == "fte_yjs"
    # It was the area's own; without it the rest counts for more, and the indicator's sign is that of its distance.
    middle = (one["earlier"] + one["later"]) / 2
    score = first.scores.at[HACKNEY, "fte_yjs"]
    assert worst["contribution"] == pytest.approx(-0.25 * (score - middle))
    assert result.table[result.table["area_code"] != HACKNEY]["estimate"].fillna(0).eq(0).all()


def test_a_revised_figure_of_the_same_period_is_kept_apart(years):
    first = years[0]
    x = first.matrix.transformed.at[HACKNEY, "fte_yjs"]
    second = altered(
        later_copy(first), [("transformed", HACKNEY, "fte_yjs", x - 1), ("values", HACKNEY, "fte_yjs", 1.0)]
    )
    one = row(index_change(first, second, nodes=SOME), "engaged")
    assert one["revised"] == pytest.approx(one["estimate"])
    assert one["revised"] > 0
    assert one["verdict"] == "revised_only"


def test_a_declared_break_is_refused_unless_told(years):
    first, second = default_index(2019), years[1]
    with pytest.raises(SpecError, match=r"27 indicators have a declared break.*infant_mort.*bridge_breaks=True"):
        index_change(first, second)
    result = index_change(first, second, bridge_breaks=True)
    assert len(result.bridged) == 27
    assert "declared breaks are bridged for" in result.text
    assert "no verdict rests on it" in result.text
    one = row(result, "gld_pct")
    assert one["verdict"] == "bridged_only"
    assert one["bridged"] == pytest.approx(one["estimate"])
    kept = IndexSpec(exclude=result.bridged)
    without = index_change(build_index(first.matrix, spec=kept), build_index(second.matrix, spec=kept))
    assert without.bridged == ()
    assert (without.table["bridged"].dropna() == 0).all()


def test_what_cannot_be_compared_is_refused(years):
    first, second = years
    with pytest.raises(SpecError, match="give them in order of time"):
        index_change(second, first)
    with pytest.raises(SpecError, match="different specifications"):
        index_change(first, build_index(second.matrix, spec=IndexSpec(aggregate=MEANS["geometric"])))
    other = first.matrix.reference.copy()
    other.loc["gld_pct", "scale"] *= 2
    with pytest.raises(SpecError, match=r"1 indicators have other standards in the two \(gld_pct\)"):
        index_change(build_index(replace(first.matrix, reference=other)), second)


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ("2021-23", "2022-24", 2 / 3),
        ("2021-23", "2024-26", 0.0),
        ("2023/24", "2024/25", 0.0),
        ("2021/22-23/24", "2022/23-24/25", 2 / 3),
        ("2024-03-31", "2025-03-31", 0.0),
    ],
)
def test_pooled_windows_share_their_years(first, second, share):
    assert _overlap(first, second) == pytest.approx(share, abs=0.001)  # leap days


@pytest.mark.slow
def test_intervals_cover_a_known_truth(years):
    """True scores stand still; both years' figures are drawn about them. 90 % of the intervals should hold 0."""
    first = years[0]
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(4):
        drawn = []
        for index in (first, later_copy(first)):
            m = index.matrix
            # A doublet's errors move together, as the index has it; here each draws its own noise but for doublets.
            groups = [m.framework.indicator(n).doublet or n for n in m.values.columns]
            codes = pd.factorize(np.asarray(groups))[0]
            noise = rng.standard_normal((len(m.values), codes.max() + 1))[:, codes]
            sign = np.sign([m.framework.indicator(n).direction for n in m.values.columns])
            drawn.append(replace(m, transformed=m.transformed + noise * sign * m.transformed_error.fillna(0)))
        drawn[1] = replace(
            drawn[1], measured=drawn[1].measured + "x", age=first.matrix.age, values=drawn[1].values + 1e-9
        )
        drawn[0] = replace(drawn[0], measured=drawn[1].measured.replace("x$", "y", regex=True))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_overlap", lambda *_: 0.0)
            patch.setattr(module, "break_years", lambda *_: [])
            table = index_change(*(build_index(d) for d in drawn), nodes=first.domains).table
        domains = table[(table["kind"] == "domain") & (table["status"] != "not_computed")]
        inside.append(((domains["lower"] <= 0) & (domains["upper"] >= 0)).mean())
    # About 3,000 intervals: standard error .0055; three of them, and a little for the normal approximation.
    assert np.mean(inside) == pytest.approx(0.90, abs=0.02)


scores = st.floats(-4, 4)
cell = st.tuples(scores, scores, st.floats(0, 1), st.floats(0, 1))


@settings(max_examples=80)
@given(st.lists(cell, min_size=1, max_size=8), st.sampled_from(["arithmetic", "geometric"]))
def test_any_difference_splits_exactly(rows, method):
    z0, z1, w0, w1 = (np.array([list(x)]) for x in zip(*rows, strict=True))
    w0, w1 = (np.where(w < 0.2, 0, w) for w in (w0, w1))
    w0, w1 = (w / w.sum() if w.sum() > 0 else np.ones_like(w) / w.size for w in (w0, w1))
    names = tuple(f"x{i}" for i in range(z0.size))
    made = [
        Cells(names, names, np.where(w > 0, z, np.nan), z * 0, w, w[0], weighted_mean(z, w, method=method), method)
        for z, w in ((z0, w0), (z1, w1))
    ]
    moved, counted = difference(*made)
    # Double precision on numbers of order ten, after logarithms and back.
    assert (moved + counted).sum() == pytest.approx((made[1].estimate - made[0].estimate)[0], abs=1e-10)
    assert contributions(made[0]).sum() == pytest.approx(made[0].estimate[0], abs=1e-10)
    forward, back = difference(*made), difference(made[1], made[0])
    assert forward[0] == pytest.approx(-back[0], abs=1e-10)  # the same split read backwards
    k = exchange(made[0].estimate, made[1].estimate, method)
    assert k == pytest.approx(exchange(made[1].estimate, made[0].estimate, method))


def test_the_logarithmic_mean_of_scores_that_nearly_meet():
    a = np.array([0.5, 0.5, 0.5])
    b = a + np.array([0.0, 1e-9, 1e-3])
    # Between the two ends (105 and 105 + 10 d, a tenth of each), nearly half-way: to second order the arithmetic mean.
    assert exchange(a, b, "geometric") == pytest.approx(10.5 + (b - a) / 2, rel=1e-9)


def test_inputs_are_left_alone(years):
    first = years[0]
    before = first.table.copy(), first.matrix.values.copy()
    index_change(*years, nodes=SOME)
    pd.testing.assert_frame_equal(first.table, before[0])
    pd.testing.assert_frame_equal(first.matrix.values, before[1])
    assert cells(first, "safe", areas=pd.Index([HACKNEY])).estimate[0] == first.scores.at[HACKNEY, "safe"]
