"""What many answers to one question say together: joint tests, and how far each choice moves them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.relations.spec_curve.rearranging import Floats

STATISTICS = ("median", "same_sign", "clear")


def joint_tests(observed: pd.DataFrame, *, null_estimates: Floats, null_clear: Floats, level: float) -> pd.DataFrame:
    """Whether a curve of estimates exceeds what it would be without an association.

    Parameters
    ----------
    observed : DataFrame
        ``estimate, lower, upper``, one row a way of asking.
    null_estimates : array of shape (times, ways)
        Without an association.
    null_clear : array of shape (times, ways)
        Sign of each null estimate whose interval leaves out 0, 0 of the others.
    level : float
        Of the range of the nulls.

    Returns
    -------
    DataFrame
        ``statistic, estimate, null_lower, null_upper, level, p_value``. ``median``: the middle estimate, compared by
        its size. ``same_sign``: share of the estimates on the commoner side of 0. ``clear``: share that are clear
        in the commoner direction. ``p_value``: (1 + number of nulls as large) / (1 + times), so never 0.
    """
    clear = np.where(observed["lower"] > 0, 1.0, np.where(observed["upper"] < 0, -1.0, 0.0))[None, :]
    estimates = observed["estimate"].to_numpy(float)[None, :]
    found, nulls = _statistics(estimates, clear), _statistics(null_estimates, null_clear)
    rows = []
    for name in STATISTICS:
        here, there = float(found[name][0]), nulls[name]
        larger = np.abs(there) >= abs(here) - 1e-12
        tails = ((1 - level) / 2, (1 + level) / 2) if name == "median" else (0.0, level)
        lower, upper = np.quantile(there, tails)
        rows.append(
            {
                "statistic": name,
                "estimate": here,
                "null_lower": float(lower),
                "null_upper": float(upper),
                "level": level,
                "p_value": (1 + int(larger.sum())) / (1 + len(there)),
            }
        )
    return pd.DataFrame(rows)


def _statistics(estimates: Floats, clear: Floats) -> dict[str, Floats]:
    return {
        "median": np.median(estimates, axis=1),
        "same_sign": np.maximum((estimates > 0).mean(axis=1), (estimates < 0).mean(axis=1)),
        "clear": np.maximum((clear > 0).mean(axis=1), (clear < 0).mean(axis=1)),
    }


def moved_by(table: pd.DataFrame, *, choices: Sequence[str]) -> pd.DataFrame:
    """Share of the variance of estimates that each choice accounts for.

    Parameters
    ----------
    table : DataFrame
        ``estimate`` and a column a choice, one row a combination; every combination or some of them.
    choices : sequence of str

    Returns
    -------
    DataFrame
        ``choice, options, alone, with_others``, the largest first. ``alone``: variance of the means of a choice's
        options over the variance of all; ``with_others``: variance within groups alike in every other choice, over the
        same. With every combination there these are Sobol's first-order and total indices; where some are missing the
        shares of different choices overlap. NaN where the estimates do not vary.
    """
    variance = float(table["estimate"].var(ddof=0))
    rows = []
    for choice in choices:
        options = int(table[choice].nunique())
        others = [c for c in choices if c != choice]
        means = table.groupby(choice)["estimate"].transform("mean")
        rest = table["estimate"] - table.groupby(others)["estimate"].transform("mean") if others else table["estimate"]
        alone, with_others = (
            (float(means.var(ddof=0)) / variance, float((rest**2).mean()) / variance) if variance > 0 else (np.nan,) * 2
        )
        rows.append({"choice": choice, "options": options, "alone": alone, "with_others": with_others})
    return pd.DataFrame(rows).sort_values("with_others", ascending=False, kind="stable", ignore_index=True)
