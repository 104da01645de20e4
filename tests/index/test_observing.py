"""Suppressed figures and other base periods of our own index: ranges that hold the truth, references by hand."""

from dataclasses import replace

import numpy as np
import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index import (
    AggregationFactor,
    BasePeriodFactor,
    FiguresFactor,
    ImputationFactor,
    build_index,
    build_matrix,
    index_model,
    replicate,
    sensitivity,
)
from outcomes_analysis.index.montecarlo.gap_draws import gap_draws
from outcomes_analysis.index.montecarlo.observing import other_bases, suppressed_ranges
from outcomes_analysis.pipeline import default_index

# no publisher withholds so many, but no published count is below ten
SMALL, RULES = ("cpp_repeat_pct", "2023/24"), {"ees_d3_repeat_plans": (1, 30)}


@pytest.fixture(scope="module")
def index():
    return default_index(2024)


@pytest.fixture(scope="module")
def withheld(observations, index):
    """The same figures, had those of at most 30 children in one indicator been withheld; and what they were."""
    published = observations["indicator_id"].eq(SMALL[0]) & observations["period"].eq(SMALL[1])
    rows = observations[published & observations["group_type"].eq("all")]
    count = rows["value"] / 100 * rows["denominator"]
    ranked = index.matrix.areas.index[index.matrix.areas["ranked"].astype(bool)]
    small = rows.index[(count < 30.4) & rows["area_code"].isin(ranked)]
    hidden = observations.copy()
    columns = ["value", "lower", "upper", "se_sampling", "se_total", "numerator"]
    # no older figure to stand in for the one withheld
    older = observations["indicator_id"].eq(SMALL[0]) & observations["area_code"].isin(rows.loc[small, "area_code"])
    hidden.loc[older, columns] = np.nan
    hidden.loc[older, "status"] = "not_available"
    hidden.loc[small, columns] = np.nan
    hidden.loc[small, "status"] = "suppressed"
    return hidden, observations.loc[small].set_index("area_code")


def test_ranges_of_suppressed_figures_hold_what_was_withheld(withheld, index):
    hidden, truth = withheld
    assert len(truth) >= 3
    made = build_index(build_matrix(hidden, framework=index.matrix.framework, period=2024))
    model = index_model(made, observations=hidden)
    model = replace(model, ranges=suppressed_ranges(made, hidden, units=model.values.index, rules=RULES))
    low, high = (r[SMALL[0]].dropna() for r in model.ranges)
    assert set(low.index) == set(truth.index)
    true = index.matrix.transformed.loc[truth.index, SMALL[0]]
    assert (low[truth.index] <= true).all()
    assert (true <= high[truth.index]).all()
    drawn = gap_draws(model, ImputationFactor(draws=20), seed=1)
    here = drawn.columns == list(model.tree.leaves).index(SMALL[0])
    for row, values in zip(drawn.rows[here], drawn.values[:, here].T, strict=True):
        area = model.values.index[row]
        if area in low.index:
            assert values.min() >= low[area]
            assert values.max() <= high[area]
    # as missing at random they would be taken for middling places: higher, since few children is low here
    careless = gap_draws(index_model(made), ImputationFactor(draws=20), seed=1)
    at = [r in model.values.index.get_indexer(low.index) for r in drawn.rows[here]]
    assert drawn.values[:, here][:, at].mean() < careless.values[:, here][:, at].mean()


def test_another_base_period_by_hand(index, observations):
    """Attainment 8 is kept as it is: England's figure a period on, and the spread between ranked authorities then."""
    found = other_bases(index, observations, steps=(1, -1))
    assert list(found) == ["1 period later", "1 period earlier"]
    own = index.matrix.reference.loc["attainment8"]
    rows = observations.query("indicator_id == 'attainment8' and group_type == 'all' and value.notna()")
    periods = list(rows.sort_values("period_end")["period"].unique())
    for label, step in (("1 period later", 1), ("1 period earlier", -1)):
        at = rows[rows["period"] == periods[periods.index(own["base_period"]) + step]].set_index("area_code")["value"]
        ranked = index.matrix.areas.index[index.matrix.areas["ranked"].astype(bool)]
        assert found[label].at["attainment8", "centre"] == pytest.approx(at["E92000001"])
        usable = at[at.index.isin(ranked)]
        assert found[label].at["attainment8", "scale"] == pytest.approx(usable.std(), rel=0.02)  # inherited left out
    with pytest.raises(SpecError, match="50 periods later"):
        other_bases(index, observations, steps=(50,))
    with pytest.raises(SpecError, match="pass `observations`"):
        index_model(index, bases=(1,))


@pytest.mark.slow
def test_all_of_it_in_our_own_index(index, observations):
    """Gaps, base period, means and the figures themselves: each a factor of the domains' ranks, enumerated."""
    model = index_model(index, observations=observations, bases=(-1, 1))
    factors = [
        ImputationFactor(draws=8),
        BasePeriodFactor(periods=tuple(model.references)),
        AggregationFactor(),
        FiguresFactor(draws=16),
    ]
    found = sensitivity(model, factors=factors, runs=1_000)
    assert found.exact
    assert found.text.endswith("exact for the sets that were drawn.")
    for node in index.domains:
        shift = found.of_shift(node)
        assert shift["total"].between(0, 1).all()
        assert shift["first"].idxmax() == "figures"
    table = replicate(model, factors=factors[:2], draws=256).table
    assert table["rank_lower"].isna().equals(table["estimate"].isna())  # imputing computes no withheld domain
