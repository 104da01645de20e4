"""No single figure makes a rank: standardised values count only so far from England, in the score and in every draw."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from outcomes_analysis.observations.scales import Floats


def capped(scores: Floats, cap: float | None) -> Floats:
    """Bring scores to within ``cap`` of 0; None leaves them alone.

    Parameters
    ----------
    scores : ndarray
        Standardised; NaN stays NaN.
    cap : float or None
        In standard deviations between authorities.
    """
    return np.array(scores, dtype=float) if cap is None else np.clip(scores, -cap, cap)


def capped_error(scores: Floats, errors: Floats, cap: float | None) -> Floats:
    """Standard error of a capped score about the score as it counts.

    Parameters
    ----------
    scores, errors : ndarray
        Standardised scores before capping, and their standard errors; an unknown error stays NaN.
    cap : float or None
        As in :func:`capped`.

    Returns
    -------
    ndarray
        Never above the error given. That of a figure far beyond the cap tends to 0: wherever the truth lies out
        there, it counts the same.

    Notes
    -----
    With ``X`` normal about the score ``z`` with error ``s``, and ``t = min(max(z, -c), c)``, this is the root of
    ``E[(min(max(X, -c), c) - t)^2]``; with ``d = z - t``, ``a = (-c - z) / s``, ``b = (c - z) / s`` and
    ``P = F(b) - F(a)`` the mean square is
    ``(c + t)^2 F(a) + (c - t)^2 (1 - F(b)) + d^2 P + 2 d s (f(a) - f(b)) + s^2 (P + a f(a) - b f(b))``.
    """
    z, s = np.asarray(scores, dtype=float), np.asarray(errors, dtype=float)
    if cap is None:
        return np.array(s)
    known = np.isfinite(z) & (s > 1e-100)  # as good as none; a quotient by less could overflow
    z, noise = np.where(known, z, 0.0), np.where(known, s, 1.0)
    t = np.clip(z, -cap, cap)
    # beyond 38 standard deviations a double holds no density
    a, b = (np.clip((end - z) / noise, -40.0, 40.0) for end in (-cap, cap))
    below, above = ndtr(a), ndtr(-b)
    between = ndtr(b) - below
    fa, fb = (np.exp(-0.5 * point**2) / np.sqrt(2 * np.pi) for point in (a, b))
    d = z - t
    square = (
        (cap + t) ** 2 * below
        + (cap - t) ** 2 * above
        + d**2 * between
        + 2 * d * noise * (fa - fb)
        + noise**2 * (between + a * fa - b * fb)
    )
    # Terms cancel where the score lies far beyond; rounding must not make the square negative.
    return np.where(known, np.minimum(np.sqrt(np.maximum(square, 0.0)), noise), s)


def limits(reference: pd.DataFrame, cap: float | None) -> pd.DataFrame | None:
    """The cap on each indicator's own scale, for whoever draws figures before they are standardised.

    Parameters
    ----------
    reference : DataFrame
        By indicator: ``centre`` and ``scale``.
    cap : float or None
        As in :func:`capped`.

    Returns
    -------
    DataFrame or None
        By indicator: ``low`` and ``high``; None where nothing is capped.
    """
    if cap is None:
        return None
    reach = cap * reference["scale"]
    return pd.DataFrame({"low": reference["centre"] - reach, "high": reference["centre"] + reach})
