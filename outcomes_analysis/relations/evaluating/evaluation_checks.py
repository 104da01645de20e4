"""What an evaluation has to pass before its figures are given, and the figures themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.errors import several
from outcomes_analysis.relations.evaluating.counterparts import METHODS, Counterpart
from outcomes_analysis.relations.evaluating.place_panels import PlacePanel
from outcomes_analysis.relations.evaluating.placebos import Judged, each_as_the_place, judge, lead_slope, slope_loads
from outcomes_analysis.relations.evaluating.power import detectable, detectable_by_error
from outcomes_analysis.wording import EVALUATION_CHECKS

MINIMUM_FIT = 3  # years before an earlier date that stands in for the date
UNUSUAL = 0.1  # chance below which a course or misfit is unlike that of other places
DESIGN = ("overlap", "fit", "earlier_course", "earlier_dates")  # without these the estimate itself is withheld


def judged_on(panel: PlacePanel, found: Counterpart, placebos: list[Counterpart], *, before: int, last: int) -> Judged:
    """An estimate beside those of the placebos, each with the sampling error of its own place."""
    sampling = panel.variance(panel.sampling, before, last)
    estimates = np.array([p.estimate for p in placebos])
    return judge(found.estimate, estimates, sampling=float(sampling[0]), sampling_others=sampling[1:])


def earlier_dates(panel: PlacePanel) -> tuple[int, float]:
    """Tries of earlier dates on the years before the true one, and how unusual the largest difference is.

    The largest of all tries is compared with the largest of the same tries of each other place, so that many tries
    make nothing stand out by themselves.
    """
    values = panel.values[: panel.before]
    mine, theirs = [], []
    for before in range(MINIMUM_FIT, panel.before):
        for method in METHODS.values():
            found = method(values[:, 0], values[:, 1:], before)
            placebos = each_as_the_place(values[:, 1:], before=before, method=method)
            judged = judged_on(panel, found, placebos, before=before, last=panel.before)
            mine.append(abs(judged.estimate) / judged.spread)
            theirs.append(np.abs(judged.others))
    larger = int((np.max(theirs, axis=0) >= max(mine)).sum())
    return len(mine), (1 + larger) / (1 + len(theirs[0]))


def power_table(panel: PlacePanel, judged: dict[str, Judged], *, level: float) -> pd.DataFrame:
    """``EvaluationResult.power``: the smallest change that would have stood out, by method."""
    last = len(panel.years)
    sampling = float(np.sqrt(panel.variance(panel.sampling, panel.before, last)[0]))
    total = float(np.sqrt(panel.variance(panel.total, panel.before, last)[0]))
    spread = float(panel.values[: panel.before].std(axis=1, ddof=1).mean())
    return pd.DataFrame(
        [
            {
                "method": name,
                "detectable": detectable(one, level=level),
                "by_sampling": detectable_by_error(sampling, level=level),
                "by_year_to_year": detectable_by_error(total, level=level),
                "spread": spread,
            }
            for name, one in judged.items()
        ]
    )


def checks_table(
    panel: PlacePanel,
    counterparts: dict[str, Counterpart],
    judged: dict[str, Judged],
    fits: dict[str, float],
    strength: pd.DataFrame,
    earlier: tuple[int, float],
    *,
    level: float,
) -> pd.DataFrame:
    """``EvaluationResult.checks``: each check, whether it passed, and what was found in words."""
    place, others = panel.values[: panel.before, 0], panel.values[: panel.before, 1:]
    outside = int(((place < others.min(axis=1)) | (place > others.max(axis=1))).sum())
    years = panel.years[: panel.before]
    sampling = (slope_loads(years) ** 2) @ panel.sampling[: panel.before] ** 2
    slopes = lead_slope(panel.values[: panel.before], years)
    course = judge(float(slopes[0]), slopes[1:], sampling=float(sampling[0]), sampling_others=sampling[1:]).p_value
    tries, unusual = earlier
    largest = float(strength["detectable"].max())
    spread = float(strength["spread"].iloc[0])
    chances = {name: one.p_value for name, one in judged.items()}
    estimates = [one.estimate for one in judged.values()]
    within = all(
        abs(estimates[0] - estimates[1]) <= one.bound(level) and estimates[0] * estimates[1] > 0
        for one in judged.values()
    )
    misfit = counterparts["weighted"].misfit
    found = {
        "overlap": (outside == 0, f"outside the range of all others in {outside} of {panel.before} earlier years"),
        "fit": (
            fits["weighted"] > UNUSUAL,
            f"misfit of {misfit:.3g}, as large or larger in {100 * fits['weighted']:.0f}% of places",
        ),
        "earlier_course": (course > UNUSUAL, f"a course as far from the others' in {100 * course:.0f}% of places"),
        "earlier_dates": (
            unusual > UNUSUAL,
            f"the largest difference of {tries} tries of earlier dates is as large in {100 * unusual:.0f}% of places",
        ),
        "power": (largest <= spread, f"smallest change that would have stood out {largest:.3g}, {spread:.3g} allowed"),
        "other_places": (
            max(chances.values()) <= 1 - level + 1e-12,
            f"differences as large in {100 * max(chances.values()):.0f}% of places",
        ),
        "agreement": (within, "each estimate lies within the other's interval, on the same side of 0"),
    }
    if not within:
        found["agreement"] = (False, "the two estimates lie too far apart or on different sides of 0")
    return pd.DataFrame(
        [{"check": name, "passed": found[name][0], "found": found[name][1]} for name in EVALUATION_CHECKS]
    )


def estimates_of(
    counterparts: dict[str, Counterpart], judged: dict[str, Judged], checks: pd.DataFrame, *, level: float
) -> pd.DataFrame:
    """``EvaluationResult.table``: the estimates, withheld where a check in ``DESIGN`` fails."""
    failed = checks.loc[checks["check"].isin(DESIGN) & ~checks["passed"].astype(bool), "check"].tolist()
    rows = []
    for name, found in counterparts.items():
        half = judged[name].bound(level)
        row = {"method": name, "level": level, "interval": "figures", "misfit": found.misfit}
        if failed:
            empty = dict.fromkeys(("estimate", "lower", "upper", "p_value"), np.nan)
            rows.append(row | empty | {"status": "withheld", "reason": f"failed: {several(failed)}"})
        else:
            rows.append(
                row
                | {
                    "estimate": found.estimate,
                    "lower": found.estimate - half,
                    "upper": found.estimate + half,
                    "p_value": judged[name].p_value,
                    "status": "computed",
                    "reason": "",
                }
            )
    columns = ["method", "estimate", "lower", "upper", "level", "interval", "p_value", "misfit", "status", "reason"]
    return pd.DataFrame(rows)[columns]
