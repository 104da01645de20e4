"""Illustrative shares by hand, and that they always add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes_analysis.errors import SpecError
from outcomes_analysis.places.allocating import SHARINGS, Sharing, ladder_up, share_out

VALUES, COHORTS = [60.0, 70.0, 80.0], [1000.0, 2000.0, 1000.0]  # together (60 + 2 × 70 + 80) / 4 = 70


def test_equal_gain_by_hand() -> None:
    """From 70 to 75 is 5 more everywhere."""
    assert share_out(VALUES, COHORTS, target=75, sharing="equal_gain") == pytest.approx([65, 75, 85], abs=1e-9)


def test_a_place_at_the_end_of_the_range_stays_there_and_the_others_make_up() -> None:
    """To 92: +22 would make 102; with 100 there the other 3,000 need 4 × 92 - 100 = 268 of 60 + 2 × 70 = 200: +22⅔."""
    shares = share_out(VALUES, COHORTS, target=92, sharing="equal_gain")
    assert shares == pytest.approx([60 + 68 / 3, 70 + 68 / 3, 100], abs=1e-9)


def test_gap_closing_by_hand() -> None:
    """Gaps of -10, 0, 10 halve to -5, 0, 5; +5 for all: 70, 75, 80, nobody goes back.

    To 72 the last place would come to 77 and stays at 80: the rest need 4 × 72 - 80 = 208 of 65 + 2 × 70 = 205, so +1.
    """
    assert share_out(VALUES, COHORTS, target=75, sharing="gap_closing") == pytest.approx([70, 75, 80], abs=1e-9)
    assert share_out(VALUES, COHORTS, target=72, sharing="gap_closing") == pytest.approx([66, 71, 80], abs=1e-9)
    # lower is better: from 70 to 68 the gaps halve to 65, 70, 75 and the first may not go back up from 60;
    # the rest need 4 × 68 - 60 = 212 of 2 × 70 + 75 = 215, so -1 each
    assert share_out(VALUES, COHORTS, target=68, sharing="gap_closing") == pytest.approx([60, 69, 74], abs=1e-9)


def test_equal_difficulty_by_hand() -> None:
    """Sds 1, 2, 1 weigh (1 + 2 × 2 + 1) / 4 = 1.5; 5 more is 10/3 sds each."""
    shares = share_out(VALUES, COHORTS, target=75, sharing="equal_difficulty", sds=[1, 2, 1])
    assert shares == pytest.approx([60 + 10 / 3, 70 + 20 / 3, 80 + 10 / 3], abs=1e-9)
    # from 99 only 100 can be reached: the others need 4 × 80 - 100 = 220 of 60 + 2 × 70 = 200, in 1 + 2 × 2 = 5: 4 sds
    shares = share_out([60, 70, 99], COHORTS, target=80, sharing="equal_difficulty", sds=[1, 2, 1])
    assert shares == pytest.approx([64, 78, 100], abs=1e-9)


places = st.lists(st.tuples(st.floats(0, 100), st.floats(1, 30_000), st.floats(0.05, 10)), min_size=1, max_size=40)


@given(places, st.floats(0, 100), st.sampled_from(SHARINGS))
def test_shares_always_ladder_up(rows: list[tuple[float, float, float]], target: float, sharing: Sharing) -> None:
    """To 1e-9 as promised, within the range, and no place further from the target's side than it was."""
    values, cohorts, sds = (np.array(column) for column in zip(*rows, strict=True))
    shares = share_out(values, cohorts, target=target, sharing=sharing, sds=sds)
    assert abs(float(shares @ cohorts / cohorts.sum()) - target) < 1e-9
    assert ((shares >= 0) & (shares <= 100)).all()
    toward = np.sign(target - float(values @ cohorts / cohorts.sum()))
    assert (toward * (shares - values) >= -1e-9).all()
    checked = ladder_up(shares, cohorts, target=target)
    assert abs(checked.short) < 1e-9
    assert checked.covered == pytest.approx(1)


def test_what_cannot_be_shared_out_is_said() -> None:
    with pytest.raises(SpecError, match="1 of 3 values"):
        share_out([60, np.nan, 80], COHORTS, target=75, sharing="equal_gain")
    with pytest.raises(SpecError, match="1 of 3 cohorts"):
        share_out(VALUES, [1, 0, 1], target=75, sharing="equal_gain")
    with pytest.raises(SpecError, match="outside the range"):
        share_out(VALUES, COHORTS, target=101, sharing="equal_gain")
    with pytest.raises(SpecError, match="two ends"):
        share_out(VALUES, COHORTS, target=75, sharing="equal_gain", high=np.inf)
    with pytest.raises(SpecError, match="equally long"):
        ladder_up([70, 76], COHORTS, target=75)
    with pytest.raises(SpecError, match="needs sds"):
        share_out(VALUES, COHORTS, target=75, sharing="equal_difficulty")
    with pytest.raises(SpecError, match="equal_gain, gap_closing, equal_difficulty"):
        share_out(VALUES, COHORTS, target=75, sharing="fair")  # type: ignore[arg-type]


def test_local_targets_checked_by_hand() -> None:
    """Targets of 70 and 76 for 1,000 and 2,000: (70 + 152) / 3 = 74; the last 1,000 need 4 × 75 - 222 = 78."""
    found = ladder_up([70, 76, np.nan], COHORTS, target=75)
    assert found.places == 2
    assert (found.covered, found.together, found.short) == pytest.approx((0.75, 74, 1))
    assert found.rest_needs == pytest.approx(78)
    assert np.isnan(ladder_up([70, 76, 78], COHORTS, target=75).rest_needs)
    with pytest.raises(SpecError, match="None of the local targets"):
        ladder_up([np.nan] * 3, COHORTS, target=75)
