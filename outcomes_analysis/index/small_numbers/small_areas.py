"""Small-area estimates from figures and covariates: the Fay-Herriot model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError, SpecError, several
from outcomes_analysis.observations.shrinkage import FEWEST, empirical_bayes


@dataclass(frozen=True, eq=False)
class FayHerriotResult:
    """Small-area estimates from figures and covariates.

    Attributes
    ----------
    table : DataFrame
        By unit: ``direct`` (the figure), ``estimate`` (the EBLUP), ``mse`` (its mean squared error), ``synthetic``
        (what the covariates alone give) and ``kept`` (weight of the figure; 0 where there is none).
    coefficients : DataFrame
        By covariate: ``estimate`` and ``error``.
    between : float
        Variance of true values about the regression (REML).
    text : str
        What was done.
    """

    table: pd.DataFrame
    coefficients: pd.DataFrame
    between: float
    text: str


def fay_herriot(estimates: pd.Series, variances: pd.Series, covariates: pd.DataFrame | None = None) -> FayHerriotResult:
    """Small-area estimates by the Fay-Herriot model, with their mean squared errors.

    Parameters
    ----------
    estimates : Series
        Figure of each unit; NaN where there is none.
    variances : Series
        Their sampling variances (squared standard errors), same labels.
    covariates : DataFrame, optional
        Units × covariates, same labels, without gaps. Text and categories become indicator columns, the first
        category left out; a constant is added. Without it every figure is drawn towards the mean.

    Returns
    -------
    FayHerriotResult
        A unit without a figure gets what the covariates give.

    Raises
    ------
    SpecError
        If labels do not match, or there are too few figures for the covariates.
    ObservationsError
        If covariates have gaps or are collinear, or a variance is negative.

    Notes
    -----
    Fay and Herriot (1979), Journal of the American Statistical Association 74; variance by restricted maximum
    likelihood; mean squared error ``g1 + g2 + 2 g3`` of Prasad and Rao (1990), as Datta and Lahiri (2000) show it
    for REML. For a unit without a figure it is the variance about the regression plus that of the fitted value.
    The same numbers as ``mseFH`` of the R package sae.
    """
    _same_units(estimates.index, variances.index, "variances")
    design = pd.DataFrame({"constant": 1.0}, index=estimates.index)
    if covariates is not None:
        _same_units(estimates.index, covariates.index, "covariates")
        gaps = [str(c) for c in covariates if covariates[c].isna().any()]
        if gaps:
            message = f"`fay_herriot`: {len(gaps)} covariates have gaps ({several(gaps)}); fill or drop them."
            raise ObservationsError(message)
        coded = pd.get_dummies(covariates.reindex(estimates.index), drop_first=True, dtype=float)
        design = pd.concat([design, coded.astype(float)], axis=1)
    y = estimates.to_numpy(float)
    v = variances.reindex(estimates.index).to_numpy(float)
    x = design.to_numpy(float)
    found = int((np.isfinite(y) & np.isfinite(v)).sum())
    if found < x.shape[1] + FEWEST - 1:
        message = f"`fay_herriot`: {found} figures are too few for {x.shape[1]} coefficients; use fewer covariates."
        raise SpecError(message)
    posterior = empirical_bayes(y, v, covariates=x)
    covariance = posterior.coefficient_covariance
    alone = posterior.prior_variance + np.einsum("ij,jk,ik->i", x, covariance, x)
    direct = np.isfinite(posterior.mean)
    table = pd.DataFrame(
        {
            "direct": y,
            "estimate": np.where(direct, posterior.mean, posterior.prior_mean),
            "mse": np.where(direct, posterior.mse, alone),
            "synthetic": posterior.prior_mean,
            "kept": np.where(direct, posterior.reliability, 0.0),
        },
        index=estimates.index,
    )
    coefficients = pd.DataFrame(
        {"estimate": posterior.coefficients, "error": np.sqrt(np.diag(covariance))}, index=design.columns
    )
    text = (
        f"Fay-Herriot estimates for {len(table)} units from {found} figures and {x.shape[1] - 1} covariates: on "
        f"average {table.loc[direct, 'kept'].mean():.0%} of a figure's distance from the regression is kept."
    )
    return FayHerriotResult(table, coefficients, posterior.prior_variance, text)


def _same_units(a: Iterable, b: Iterable, name: str) -> None:
    if set(a) != set(b):
        lost = sorted(set(map(str, a)) ^ set(map(str, b)))
        message = f"`fay_herriot`: {len(lost)} units are in the estimates or the {name} only: {several(lost)}."
        raise SpecError(message)
