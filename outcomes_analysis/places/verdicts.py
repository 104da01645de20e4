"""When a figure may be judged, and how many judgements chance alone would bring."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.observations.intervals import rounding_error

Judgement = Literal[
    "better", "similar", "worse", "not clear", "not clear (many compared)", "position only", "no figure"
]
Position = Literal["above", "below", "equal", ""]
Kind = Literal["outcome", "contested", "enabler", "activity", "local", "context"]

FEWEST_CHILDREN = 30  # behind a percentage or a mean: with fewer the interval's normal form cannot be relied on
FEWEST_EVENTS = 10  # behind a rate: OHID's own least for Byar's interval
TOO_FEW = "too few children for a judgement"
UNKNOWN = "how many children are behind the figure is not known here"
BY_CHANCE = "its own interval leaves the comparison out, but among so many comparisons chance alone would bring that"
NOT_CLEAR, MANY = "not clear", "not clear (many compared)"
JUDGED = ("better", "worse", "similar", NOT_CLEAR, MANY)
TURNED = ("outcome", "enabler", "local")  # kinds of which one way is better
NARROW = 0.5  # standard deviations between authorities on each side of the comparator: within them all is alike
SIMILAR_RULE = (
    "Similar: the whole interval lies within half of the usual distance between authorities of what it is set against."
)
FEWEST_AUTHORITIES = 30  # whose spread is the unit of a score and of what counts as narrow


class Verdict(NamedTuple):
    """How a figure stands to a comparator: the judgement, where it lies, and why a judgement is withheld."""

    judgement: Judgement
    position: Position
    reason: str


def kind_of(indicator: Indicator) -> Kind:
    """Say what an indicator is evidence of.

    Parameters
    ----------
    indicator : Indicator

    Returns
    -------
    str
        ``outcome``: for children, scored, its direction agreed; ``contested``: its direction is disputed; ``enabler``:
        services, parents and carers; ``activity``: what services do and record, neither way better; ``local``: added
        for a place; ``context``.
    """
    if indicator.tier == "context" or indicator.measure_of == "context":
        return "context"
    if indicator.contested:
        return "contested"
    if indicator.direction == 0 or indicator.measure_of == "activity":
        return "activity"
    if indicator.tier == "local":
        return "local"
    return "outcome" if indicator.scored and indicator.layer == "child" else "enabler"


def spread_between(values: ArrayLike) -> float:
    """Measure how far authorities' figures lie apart.

    Parameters
    ----------
    values : array of float
        Figures of one indicator and period, one an authority, in natural units; missing ones are left out.

    Returns
    -------
    float
        Standard deviation (n - 1); NaN for fewer than thirty authorities.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return float(known.std(ddof=1)) if len(known) >= FEWEST_AUTHORITIES else float("nan")


def standing(
    *,
    lower: ArrayLike,
    upper: ArrayLike,
    comparator: ArrayLike,
    spread: ArrayLike = float("nan"),
    kept: ArrayLike = True,
) -> NDArray[np.str_]:
    """Say how figures stand to what they are held against: the one rule of every page, table and map.

    Parameters
    ----------
    lower, upper : array of float
        Intervals from both variances, in natural units.
    comparator : array of float
        What they are held against, taken as known.
    spread : array of float
        Standard deviation between authorities (:func:`spread_between`); NaN where it is not known.
    kept : array of bool
        Whether a difference stays clear once the number of comparisons is allowed for (:func:`controlled`).

    Returns
    -------
    array of str
        ``above`` or ``below`` where the interval leaves the comparator out; ``not clear (many compared)`` where it
        does and the number of comparisons took that back; ``similar`` where the whole interval lies within half a
        standard deviation between authorities of the comparator; else ``not clear``. Empty where an interval or the
        comparator is missing.
    """
    low, high, base, unit = (np.asarray(x, dtype=float) for x in (lower, upper, comparator, spread))
    reach = NARROW * unit
    above, below = low > base, high < base
    apart = above | below
    return np.select(
        [
            ~(np.isfinite(low) & np.isfinite(high) & np.isfinite(base)),
            apart & ~np.asarray(kept, dtype=bool),
            above,
            below,
            (low >= base - reach) & (high <= base + reach),
        ],
        ["", MANY, "above", "below", "similar"],
        default=NOT_CLEAR,
    )


def verdict(
    *,
    value: float,
    lower: float,
    upper: float,
    comparator: float,
    direction: int,
    withheld: str = "",
    spread: float = float("nan"),
) -> Verdict:
    """Judge a figure against a comparator.

    Parameters
    ----------
    value, lower, upper : float
        The figure and its interval from both variances.
    comparator : float
        What it is held against, taken as known.
    direction : {1, -1, 0}
        Which way is better.
    withheld : str
        Why no judgement may be given (see :func:`why_withheld`), or empty.
    spread : float
        Standard deviation between authorities; without it nothing is called similar.

    Returns
    -------
    Verdict
        ``better`` or ``worse`` only where the interval leaves out the comparator; ``similar`` only where it is narrow
        enough to say so (:func:`standing`); else ``not clear``. Where a judgement is withheld, only the position.
    """
    if not np.isfinite(value):
        return Verdict("no figure", "", withheld or "no figure for this place")
    if not np.isfinite(comparator):
        return Verdict("position only", "", withheld or "nothing of the same period to compare with")
    position: Position = "equal" if value == comparator else "above" if value > comparator else "below"
    if withheld or direction == 0:
        return Verdict("position only", position, withheld or "neither higher nor lower is better")
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return Verdict("position only", position, "how sure the figure is, is not known")
    found = str(standing(lower=lower, upper=upper, comparator=comparator, spread=spread))
    if found in ("above", "below"):
        return Verdict("better" if (found == "above") == (direction > 0) else "worse", position, "")
    return Verdict("similar" if found == "similar" else "not clear", position, "")


def sampling_unknown(row: pd.Series[Any] | dict[str, Any], *, indicator: Indicator) -> bool:
    """Whether a figure lacks the sampling error it should have, so that its total error is too small."""
    return indicator.sampling.model != "none" and not np.isfinite(row.get("se_sampling", np.nan))


def too_few(row: pd.Series[Any] | dict[str, Any], *, indicator: Indicator) -> str:
    """Say that a figure rests on too few children or events, or nothing.

    Parameters
    ----------
    row : Series or dict
        ``value, denominator, se_sampling`` of the figure. Without a published denominator the number is the one its
        sampling error implies, which is all that is needed to know that it is small.
    indicator : Indicator
        Its form, unit and sampling model.

    Returns
    -------
    str
        A reason: fewer than 30 children behind a percentage or mean, fewer than 10 events behind a rate. Empty where
        there are enough, or the number cannot be known.
    """
    value, people, error = (float(row.get(c, np.nan)) for c in ("value", "denominator", "se_sampling"))
    if not np.isfinite(value):
        return ""
    rounding = float(rounding_error(indicator.decimals))
    variance = max(error**2 - rounding**2, 0.1 * error**2) if np.isfinite(error) else np.nan
    if indicator.form in ("rate", "dsr"):
        events = value * people / indicator.per if people > 0 else value**2 / variance
        return f"fewer than {FEWEST_EVENTS} events behind it" if events < FEWEST_EVENTS else ""
    if indicator.form == "proportion" and not people > 0:
        share = value / indicator.per
        spread = np.sqrt(variance) / indicator.per
        # at 0 or 100 % the error is that of half a child: about 0.7 of one over all of them
        people = share * (1 - share) / spread**2 if 0 < share < 1 else 0.5 * np.sqrt(2) / spread
    if indicator.form == "mean" and indicator.sampling.sd and not people > 0:
        people = indicator.sampling.sd**2 / variance
    return f"fewer than {FEWEST_CHILDREN} children behind it" if people < FEWEST_CHILDREN else ""


def why_unfit(row: pd.Series[Any] | dict[str, Any], *, indicator: Indicator, age: int = 0, ranked: bool = True) -> str:
    """Say why a figure cannot be compared with anything, or nothing.

    Parameters
    ----------
    row : Series or dict
        ``status, flags, value, denominator, se_sampling`` of the figure.
    indicator : Indicator
        Its maximum age and sampling model.
    age : int
        Years since it was measured.
    ranked : bool
        False for the City of London and the Isles of Scilly.
    """
    if row["status"] == "inherited":
        return "the figure is that of the authority this place was part of"
    if row["status"] == "imputed":
        return "the figure is imputed"
    flags = str(row["flags"]).split(";")
    if "low_reliability" in flags:
        return "the publisher marks the figure as of low reliability"
    if "doubtful" in flags:
        return "other years or tables of the same place speak against the figure"
    if age > indicator.max_age:
        return f"the figure is {age} years old"
    if not ranked:
        return TOO_FEW
    if sampling_unknown(row, indicator=indicator):
        return UNKNOWN
    return too_few(row, indicator=indicator)


def why_withheld(row: pd.Series[Any] | dict[str, Any], *, indicator: Indicator, age: int, ranked: bool = True) -> str:
    """Say why a figure bears no judgement, or nothing.

    Parameters
    ----------
    row, indicator, age, ranked
        As in :func:`why_unfit`; the indicator's tier, direction and dispute count too.
    """
    unfit = why_unfit(row, indicator=indicator, age=age, ranked=ranked)
    if unfit:
        return unfit
    if indicator.tier == "context":
        return "context, not an outcome"
    if indicator.direction == 0:
        return "neither higher nor lower is better"
    if indicator.contested:
        return f"contested: {indicator.contested.rstrip('.')}"
    return ""


def strands(table: pd.DataFrame, *, distance: str, level: float) -> pd.DataFrame:
    """Gather comparisons so that near-duplicates count once, and control how many would be clear by chance.

    Parameters
    ----------
    table : DataFrame
        One row an indicator: ``indicator_id, kind, doublet, direction``, the column ``distance`` and, where there are
        local figures, ``tier``.
    distance : str
        Column of differences over their errors, on each indicator's own scale, positive where the figure is higher;
        NaN where there is nothing to compare.
    level : float
        Of the intervals; one less it is the false discovery rate.

    Returns
    -------
    DataFrame
        One row a strand, in the table's order: ``family`` (what is counted together: a kind of figure, local ones
        apart), ``kind, strand, members`` (tuple of ids), ``distance`` (mean of its members', turned so that higher is
        better where a direction is agreed), ``p_value, q_value, clear`` (bool).

    Notes
    -----
    Errors of near-duplicates are taken to move together, so that the error of a strand's mean is that of one of its
    figures; the index does the same. Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57,
    within each family; the false discovery rate holds for comparisons that are independent or go together.
    """
    from scipy.stats import false_discovery_control, norm

    rows = table[table[distance].notna()]
    columns = ("kind", "doublet", "indicator_id", "direction", distance)
    members: dict[tuple[str, str, str], list[str]] = {}
    apart: dict[tuple[str, str, str], list[float]] = {}
    cells = (rows[c].tolist() for c in columns)
    for family, kind, doublet, indicator_id, direction, value in zip(_families(rows), *cells, strict=True):
        strand = (family, kind, doublet or indicator_id)
        members.setdefault(strand, []).append(indicator_id)
        apart.setdefault(strand, []).append(float(value * direction if kind in TURNED else value))
    found = pd.DataFrame({
        "family": [family for family, _, _ in members],
        "kind": [kind for _, kind, _ in members],
        "strand": [strand for _, _, strand in members],
        "members": [tuple(ids) for ids in members.values()],
        "distance": np.array([sum(values) / len(values) for values in apart.values()]),
    })  # fmt: skip
    chance = 2 * norm.sf(found["distance"].abs())
    surprise = np.full(len(found), np.nan)
    for family in dict.fromkeys(found["family"]):
        its = found["family"].eq(family).to_numpy()
        surprise[its] = false_discovery_control(chance[its], method="bh")
    return found.assign(p_value=chance, q_value=surprise, clear=surprise <= 1 - level + 1e-12)


def controlled(table: pd.DataFrame, *, distance: str, level: float) -> pd.Series[bool]:
    """Say of each figure whether its difference stays clear once the number of comparisons is allowed for.

    Parameters
    ----------
    table, distance, level
        As in :func:`strands`.

    Returns
    -------
    Series of bool
        On the table's index: the figure's own chance is no larger than the largest of the strands of its family
        that are clear.
    """
    from scipy.stats import norm

    found = strands(table, distance=distance, level=level)
    reach = found[found["clear"]].groupby("family")["p_value"].max()
    own = pd.Series(2 * norm.sf(table[distance].abs().astype(float)), index=table.index)
    family = pd.Series(_families(table), index=table.index, dtype=object)
    return own <= family.map(reach).astype(float).fillna(-1.0) + 1e-12


def _families(table: pd.DataFrame) -> list[str]:
    """Which comparisons are counted together: those of a kind, local figures apart, so that they change no verdict."""
    kinds = table["kind"].astype(str).tolist()
    if "tier" not in table.columns:
        return kinds
    return [f"local {kind}" if tier == "local" else kind for kind, tier in zip(kinds, table["tier"], strict=True)]
