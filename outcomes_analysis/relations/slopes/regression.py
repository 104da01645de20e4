"""Slopes across areas: least squares with robust errors, and a random intercept for each region, guarded.

scipy and statsmodels are imported inside the functions: they take a second, and most uses of the package need neither.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.project import LEVEL

Floats = NDArray[np.float64]

SMALLEST_VARIANCE = 1e-8  # of the outcome's variance; below it statsmodels can return slopes of exactly zero
SMALLEST_SLOPE = 1e-10
OPTIMISERS = ("bfgs", "powell")  # lbfgs alone fails where regions do not differ


@dataclass(frozen=True)
class Fit:
    """Slopes of a regression.

    Attributes
    ----------
    names : tuple of str
        Columns of the design, in order.
    estimates, errors : tuple of float
        One a column.
    lower, upper : tuple of float
        Interval at ``level``.
    df : float
        Degrees of freedom of the t distribution used.
    method : str
        In words: what was fitted and how the errors were made.
    between, within, area : float
        Variance between groups, within them and, where areas have several rows, between areas of a group (NaN where
        there are none), in the outcome's units squared.
    areas : int
        Areas it rests on, where they are not those it was asked of.
    note : str
        What a reader must know, such as why the region model fell back to least squares.
    """

    names: tuple[str, ...]
    estimates: tuple[float, ...]
    errors: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    level: float
    df: float
    method: str
    between: float = float("nan")
    within: float = float("nan")
    area: float = float("nan")
    areas: int = 0
    note: str = ""

    def times(self, factor: float) -> Fit:
        """The same fit with the outcome in other units; ``factor`` of the new make one of the old."""

        def scaled(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(factor * v for v in values)

        return replace(
            self,
            estimates=scaled(self.estimates),
            errors=scaled(self.errors),
            lower=scaled(self.lower),
            upper=scaled(self.upper),
            between=factor**2 * self.between,
            within=factor**2 * self.within,
            area=factor**2 * self.area,
        )

    def of(self, name: str) -> tuple[float, float, float]:
        """Estimate, lower and upper bound of one column."""
        k = self.names.index(name)
        return self.estimates[k], self.lower[k], self.upper[k]


def check_design(design: Floats, *, names: Sequence[str]) -> None:
    """Refuse a design no slope can be had from.

    Raises
    ------
    RelationError
        If it has more columns than areas can bear, a constant column besides the first, or columns that are
        combinations of others.
    """
    n, k = design.shape
    if n <= k + 1:
        message = f"{n} areas are too few for {k} parameters ({several(names)}). Adjust for less or take more areas."
        raise RelationError(message)
    constant = [name for name, column in zip(names[1:], design.T[1:], strict=True) if np.ptp(column) == 0]
    if constant:
        message = f"Constant across the {n} areas: {several(constant)}. Leave out what does not vary."
        raise RelationError(message)
    lengths = np.sqrt((design**2).sum(axis=0))
    if np.linalg.matrix_rank(design / lengths, tol=1e-8) < k:
        message = f"Perfectly collinear: {several(names[1:])}. At least one can be worked out from the others; drop it."
        raise RelationError(message)


def fit_robust(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    weights: Floats | None = None,
    level: float = LEVEL,
) -> Fit:
    """Least squares, weighted or not, with HC3 errors and t intervals.

    Parameters
    ----------
    outcome : array of shape (n,)
    design : array of shape (n, k)
        First column the constant.
    names : sequence of str
        One a column.
    weights : array of shape (n,), optional
        How much each area counts, above 0; only their proportions matter. All alike by default.

    Returns
    -------
    Fit
        Errors as MacKinnon and White (1985), HC3: each squared residual over (1 - leverage) squared.

    Raises
    ------
    RelationError
        As :func:`check_design`.
    """
    import statsmodels.api as sm

    check_design(design, names=names)
    if weights is not None and not np.all(weights > 0):
        message = f"{int(np.sum(~(weights > 0)))} areas have a weight that is missing or not above 0."
        raise RelationError(message)
    model = sm.OLS(outcome, design) if weights is None else sm.WLS(outcome, design, weights=weights)
    fitted = model.fit(cov_type="HC3", use_t=True)
    method = f"{'' if weights is None else 'weighted '}least squares, HC3 errors"
    return fit_of(fitted.params, fitted.bse, names=names, level=level, df=float(fitted.df_resid), method=method)


def fit_mixed(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    groups: Sequence[str] | NDArray[Any],
    level: float = LEVEL,
    random: Floats | None = None,
) -> Fit:
    """Linear mixed model by restricted maximum likelihood, a random intercept for each group by default.

    Parameters
    ----------
    outcome, design, names
        As :func:`fit_robust`. Best given with unit spread: the guard reads the between-group variance as a share of
        the outcome's.
    groups : sequence of str
        Group (region) of each area.
    random : array of shape (n, q), optional
        Columns with a random coefficient; a column of ones by default.

    Returns
    -------
    Fit
        Wald intervals on t with n - k - (groups - 1) degrees of freedom. Where groups do not differ (variance between
        them below 1e-8 of the outcome's) the answer is :func:`fit_robust`'s and ``note`` says so: there, statsmodels
        can return slopes of exactly zero as if it had converged (its issue 10239).

    Raises
    ------
    RelationError
        If no optimiser converges, or a slope comes back as exactly zero.
    """
    check_design(design, names=names)
    codes = np.asarray(groups)
    count = len(np.unique(codes))
    if count < 2:
        message = "All areas are in one region: there is no difference between regions to allow for."
        raise RelationError(message)
    fitted = _optimise(outcome, design, codes=codes, random=random)
    between = float(np.trace(np.atleast_2d(fitted.cov_re))) if fitted is not None else float("nan")
    scale = float(np.var(outcome))
    if fitted is not None and between < SMALLEST_VARIANCE * scale:
        plain = fit_robust(outcome, design, names=names, level=level)
        note = "regions do not differ beyond what their authorities explain; least squares reported instead"
        return Fit(**{**plain.__dict__, "between": 0.0, "within": float("nan"), "note": note})
    if fitted is None:
        message = f"The model with a random intercept for each of {count} regions did not converge; no figure is given."
        raise RelationError(message)
    k = design.shape[1]
    estimates = np.asarray(fitted.fe_params, dtype=float)
    # the reach of the guard is the slopes' own scale: a column in millions has small slopes that are right
    reach = np.abs(estimates) * design.std(axis=0) / np.sqrt(scale)
    if np.any(reach[1:] < SMALLEST_SLOPE):
        zero = [names[j] for j in range(1, k) if reach[j] < SMALLEST_SLOPE]
        message = f"The region model returned a slope of exactly zero for {several(zero)}: a failed fit, not a finding."
        raise RelationError(message)
    df = float(len(outcome) - k - (count - 1))
    method = "random intercept for each region, restricted maximum likelihood"
    errors = _gls_errors(
        design, codes=codes, random=random, covariance=np.atleast_2d(fitted.cov_re), scale=fitted.scale
    )
    fit = fit_of(estimates, errors, names=names, level=level, df=df, method=method)
    return Fit(**{**fit.__dict__, "between": between, "within": float(fitted.scale)})


def _optimise(outcome: Floats, design: Floats, *, codes: NDArray[Any], random: Floats | None) -> Any:
    """First optimiser that converges to finite errors, or a fit on the boundary, or None."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    boundary = None
    for optimiser in OPTIMISERS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence and singularity are judged below, from the fit itself
            try:
                fitted = MixedLM(outcome, design, groups=codes, exog_re=random).fit(reml=True, method=[optimiser])
            except (np.linalg.LinAlgError, ValueError):
                continue
        if float(np.trace(np.atleast_2d(fitted.cov_re))) < SMALLEST_VARIANCE * float(np.var(outcome)):
            boundary = fitted
            continue
        if fitted.converged and np.all(np.isfinite(fitted.bse_fe)):
            return fitted
    return boundary


def _gls_errors(
    design: Floats, *, codes: NDArray[Any], random: Floats | None, covariance: Floats, scale: float
) -> Floats:
    """Errors of the slopes given the variances, from the inverse of the sum of X' V^-1 X, as lme4 reports them.

    statsmodels inverts the observed information of slopes and variances together, which differs by up to a percent.
    """
    columns = np.ones((len(design), 1)) if random is None else random
    information = np.zeros((design.shape[1], design.shape[1]))
    for code in np.unique(codes):
        here = codes == code
        variance = scale * np.eye(int(here.sum())) + columns[here] @ covariance @ columns[here].T
        information += design[here].T @ np.linalg.solve(variance, design[here])
    return np.sqrt(np.diag(np.linalg.inv(information)))


def fit_of(
    estimates: Floats, errors: Floats, *, names: Sequence[str], level: float, df: float | Floats, method: str
) -> Fit:
    """Slopes with t intervals from their errors.

    Parameters
    ----------
    estimates, errors : array of shape (k,)
    names : sequence of str
    level : float
    df : float or array of shape (k,)
        Degrees of freedom; where each column has its own, ``Fit.df`` is the smallest but the constant's.
    method : str
    """
    from scipy import stats

    reach = stats.t.ppf((1 + level) / 2, df) * errors
    each = np.atleast_1d(np.asarray(df, dtype=float))
    return Fit(
        names=tuple(names),
        estimates=tuple(map(float, estimates)),
        errors=tuple(map(float, errors)),
        lower=tuple(map(float, estimates - reach)),
        upper=tuple(map(float, estimates + reach)),
        level=level,
        df=float(each[1:].min() if len(each) > 1 else each[0]),
        method=method,
    )
