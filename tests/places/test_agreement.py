"""Agreement held to published values, published software and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from outcomes_analysis.errors import SpecError
from outcomes_analysis.places.agreement import intraclass, kendall_w, krippendorff_alpha, round_change

N = np.nan
#: Krippendorff (2011), section E: four observers, twelve units, some missing.
OBSERVERS = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
])  # fmt: skip
#: Shrout and Fleiss (1979), table 2: six targets by four judges.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).T


@pytest.mark.parametrize(("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_as_published(metric, published):
    assert krippendorff_alpha(OBSERVERS, metric=metric) == pytest.approx(published, abs=0.0005)  # three decimals


def test_alpha_by_hand():
    """Two people, two things, nominal: 1-1 and 1-2. Of 4 values three are 1: chance disagreement 2 x 3 x 1 / (4 x 3);
    observed 1 of 2 pairs."""
    assert krippendorff_alpha([[1, 1], [1, 2]], metric="nominal") == pytest.approx(1 - 0.5 / 0.5)
    assert krippendorff_alpha([[1, 2, 3], [1, 2, 3]]) == pytest.approx(1.0)
    assert np.isnan(krippendorff_alpha([[2, 2], [2, 2]]))
    with pytest.raises(SpecError, match="two people or more"):
        krippendorff_alpha([[1, N], [N, 2]])


def test_intraclass_as_published():
    found = intraclass(JUDGES)
    assert found.single == pytest.approx(0.29, abs=0.005)  # two decimals published
    assert found.mean == pytest.approx(0.62, abs=0.005)
    assert (found.people, found.things) == (4, 6)


def test_w_is_friedmans_statistic_on_its_own_scale():
    rng = np.random.default_rng(1)
    for _ in range(20):
        people, things = rng.integers(3, 12), rng.integers(3, 9)
        judged = rng.integers(0, 5, (people, things)).astype(float)  # many ties
        found = kendall_w(judged)
        reference = friedmanchisquare(*judged.T)
        assert found.chi2 == pytest.approx(reference.statistic, rel=1e-9)
        assert found.p == pytest.approx(reference.pvalue, rel=1e-9)
        assert 0 <= found.w <= 1


def test_w_at_its_ends():
    assert kendall_w([[1, 2, 3], [10, 20, 30], [0, 5, 6]]).w == pytest.approx(1.0)
    assert kendall_w([[1, 2, 3], [3, 2, 1]]).w == pytest.approx(0.0)
    assert np.isnan(kendall_w([[1, 1], [2, 2]]).w)
    for wrong in ([[1, 2]], [[1], [2]], [[1, N], [2, 3]]):
        with pytest.raises(SpecError, match="at least 2 people"):
            kendall_w(wrong)


def test_change_between_rounds_by_hand():
    # 5 5 7 9 to 5 7 7 9, the fifth person in one round only: one fewer at 5, one more at 7: 2 / 2 of 4 people
    assert round_change([5, 5, 7, 9, N], [5, 7, 7, 9, 1]) == pytest.approx(0.25)
    assert round_change([1, 2], [2, 1]) == 0  # the group stands where it stood
    assert np.isnan(round_change([N, 1], [1, N]))
