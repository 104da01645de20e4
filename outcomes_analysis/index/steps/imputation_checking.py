"""How well methods of imputation give back values that are known, and pooling over completed tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.steps.imputation import impute
from outcomes_analysis.index.steps.stepping import Method, MethodChoice, check_values

#: Rows of the hold-out table over all indicators bear this name.
ALL = "all"


def imputation_check(
    values: pd.DataFrame,
    *,
    methods: Mapping[str, MethodChoice] | Sequence[str | Method],
    rng: np.random.Generator,
    share: float = 0.1,
    repeats: int = 20,
    groups: pd.Series | Mapping[str, str] | None = None,
    blocks: Mapping[str, str] | None = None,
    directions: Mapping[str, int] | pd.Series | None = None,
) -> pd.DataFrame:
    """Hide values that are known, impute them by each method, and compare (OECD/JRC handbook, box 4).

    The same cells are hidden for every method. A hidden cell is drawn at random among the observed ones: where
    values are missing for a reason, the errors to expect there are larger than those shown.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; NaN is missing.
    methods : mapping or sequence
        Name to method, or methods and names of methods.
    rng : Generator
        Draws the cells to hide, and serves methods that draw.
    share : float
        Share of each indicator's observed values hidden each time; at least one, and never so many that fewer
        than half of them are left.
    repeats : int
        Times this is done; the results are over all of them.
    groups, blocks, directions
        As in :func:`~outcomes_analysis.index.impute`.

    Returns
    -------
    DataFrame
        ``method, indicator, n, imputed`` (share of the hidden cells that the method filled; the rest is over
        these), ``r2`` (squared correlation of imputed P and observed O), ``rmse``, ``mae`` and
        ``willmott_d = 1 - sum (P - O)^2 / sum (|P - mean O| + |O - mean O|)^2`` (Willmott 1981; 1 is perfect).
        All are on standardised values (of the indicator's observed mean and sd), so that rmse 1 is no better
        than knowing only the mean. The indicator ``"all"`` stands for all cells together.

    Raises
    ------
    SpecError
        A share outside (0, 0.5], or what a method needs is not given.
    """
    step = "imputation_check"
    data = check_values(values, step=step)
    if not 0 < share <= 0.5:
        message = f"`{step}`: share={share} is not above 0 and at most 0.5"
        raise SpecError(message)
    named = _named(methods)
    centre, spread = data.mean(), data.std()
    found: list[pd.DataFrame] = []
    for _ in range(repeats):
        hidden = _hide(data, share, rng)
        masked = data.mask(hidden)
        rows, columns = np.nonzero(hidden.to_numpy())
        for name, method in named.items():
            filled = impute(masked, method=method, groups=groups, blocks=blocks, directions=directions, rng=rng).values
            z = ((filled - centre) / spread).to_numpy()
            truth = ((data - centre) / spread).to_numpy()
            found.append(
                pd.DataFrame(
                    {
                        "method": name,
                        "indicator": np.array([str(c) for c in data.columns], dtype=object)[columns],
                        "imputed": z[rows, columns],
                        "observed": truth[rows, columns],
                    }
                )
            )
    cells = pd.concat(found, ignore_index=True)
    table = []
    for name in named:
        mine = cells[cells["method"] == name]
        for indicator in [ALL, *(str(c) for c in data.columns)]:
            part = mine if indicator == ALL else mine[mine["indicator"] == indicator]
            table.append({"method": name, "indicator": indicator, **_agreement(part)})
    return pd.DataFrame(table)


def pool_imputations(estimates: np.ndarray, variances: np.ndarray) -> pd.DataFrame:
    """Pool estimates of several completed tables by Rubin's rules (Rubin 1987, 3.1; handbook, eq. 8-13).

    ``T = W + (1 + 1/m) B``, with ``W`` the mean of the variances and ``B`` the variance between the estimates;
    ``df = (m - 1) (1 + W / ((1 + 1/m) B))^2``.

    Parameters
    ----------
    estimates : ndarray, shape (draws, quantities) or (draws,)
        From each completed table.
    variances : ndarray, same shape
        Squared standard errors; 0 where a figure has none of its own.

    Returns
    -------
    DataFrame
        A row a quantity: ``estimate, within, between, total`` (variances), ``df``, and ``missing_share``, the
        share of the variance owed to the gaps.

    Raises
    ------
    SpecError
        Shapes differ, or there are fewer than 2 draws.
    """
    q = np.asarray(estimates, dtype=float).reshape(len(estimates), -1)
    u = np.asarray(variances, dtype=float).reshape(len(variances), -1)
    if q.shape != u.shape or len(q) < 2:
        message = f"`pool_imputations`: needs 2 or more draws of one shape, got {q.shape} and {u.shape}"
        raise SpecError(message)
    m = len(q)
    within, between = u.mean(axis=0), q.var(axis=0, ddof=1)
    extra = (1 + 1 / m) * between
    total = within + extra
    ratio = np.divide(within, extra, out=np.full_like(extra, np.inf), where=extra > 0)
    return pd.DataFrame(
        {
            "estimate": q.mean(axis=0),
            "within": within,
            "between": between,
            "total": total,
            "df": (m - 1) * (1 + ratio) ** 2,
            "missing_share": np.divide(extra, total, out=np.zeros_like(total), where=total > 0),
        }
    )


def _named(methods: Mapping[str, MethodChoice] | Sequence[str | Method]) -> dict[str, MethodChoice]:
    """Methods by name."""
    if isinstance(methods, Mapping):
        return dict(methods)
    return {choice.key() if isinstance(choice, Method) else str(choice): choice for choice in methods}


def _hide(data: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Which observed cells to hide: a share of each indicator's."""
    hidden = np.zeros(data.shape, dtype=bool)
    present = data.notna().to_numpy()
    for j in range(data.shape[1]):
        rows = np.flatnonzero(present[:, j])
        number = min(max(1, round(share * len(rows))), len(rows) // 2)
        hidden[rng.choice(rows, size=number, replace=False), j] = True
    return pd.DataFrame(hidden, index=data.index, columns=data.columns)


def _agreement(cells: pd.DataFrame) -> dict[str, float]:
    """Measures of agreement of imputed and observed values."""
    filled = cells.dropna()
    result = {
        "n": len(cells),
        "imputed": len(filled) / len(cells) if len(cells) else np.nan,
        "r2": np.nan,
        "rmse": np.nan,
        "mae": np.nan,
        "willmott_d": np.nan,
    }
    if filled.empty:
        return result
    p, o = filled["imputed"].to_numpy(), filled["observed"].to_numpy()
    error = p - o
    potential = ((np.abs(p - o.mean()) + np.abs(o - o.mean())) ** 2).sum()
    varies = len(p) > 2 and np.ptp(p) > 1e-9 and np.ptp(o) > 1e-9
    return result | {
        "r2": float(np.corrcoef(p, o)[0, 1] ** 2) if varies else np.nan,
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(np.abs(error).mean()),
        "willmott_d": float(1 - (error**2).sum() / potential) if potential > 0 else np.nan,
    }
