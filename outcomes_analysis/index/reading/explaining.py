"""One score explained: from each published figure to what it adds, step by step, adding up exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve
from outcomes_analysis.errors import AreaError, SpecError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.index.building import IndexResult
from outcomes_analysis.index.reading.decomposing import cells, contributions, pieces
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.stepping import check_values, signs
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.scales import inverse
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import associational, interval, listed, number, plural, signed

_STEP = "strengths_and_weaknesses"


@dataclass(frozen=True)
class Explanation:
    """How one area comes by its score on one node.

    Attributes
    ----------
    table : DataFrame
        One row an indicator below the node, in the framework's order: ``indicator_id, name, outcome, measured, status,
        unit, value, lower, upper, level, interval`` (the figure and its interval, natural units); ``on_scale`` (on
        the indicator's own scale), ``england`` (natural units, base period), ``england_on_scale, spread`` (standard
        deviation between authorities), ``base_period``; ``standardised = (on_scale - england_on_scale) / spread``,
        ``direction``, ``score = direction × standardised``, no further from 0 than the specification's cap (but for
        an indicator by itself); ``weight_if_all_present, weight`` (0 where the figure is missing and others
        stand in), ``contribution, contribution_lower, contribution_upper``. Contributions add up to the score.
    outcomes : DataFrame
        One row a node just above the indicators: ``outcome, label, weight, contribution``; adds up likewise.
    profile : DataFrame
        ``what`` (``strength`` or ``weakness``), ``indicator_id, name, value, unit, score, lower, upper, rank, of,
        clear``; see :func:`strengths_and_weaknesses`. Indicators of disputed direction are left out.
    score, lower, upper : float
        The node's score and its interval.
    node, area_code : str
        What is explained.
    text : str
        In words.
    spec, manifest
        As in every result.
    """

    table: pd.DataFrame
    outcomes: pd.DataFrame
    profile: pd.DataFrame
    score: float
    lower: float
    upper: float
    node: str
    area_code: str
    text: str
    spec: IndexSpec
    manifest: RunManifest


def explain(index: IndexResult, area: str, *, node: str, top: int = 5) -> Explanation:
    """Explain the score of an area on a domain, an outcome, an indicator or the overall.

    Parameters
    ----------
    index : IndexResult
        The scores.
    area : str
        Code or name.
    node : str
        Node id.
    top : int
        Strengths and weaknesses to show, at most, of each.

    Returns
    -------
    Explanation

    Raises
    ------
    AreaError
        If the area is unknown, or not in the index.
    SpecError
        If the index has no such node, or it is not computed there (saying which figures are missing).

    Notes
    -----
    Contributions are against a place at England's base in every indicator, whose score is 0: ``weight × score`` for
    the arithmetic mean; for the geometric mean the logarithms' shares brought back by the logarithmic mean, which
    also add up (``decomposing``). Their intervals carry the figure's own error alone.
    """
    code = resolve(area)
    areas = index.matrix.areas
    if code not in areas.index:
        message = f"{area} ({code}) is not among the {len(areas)} areas of the index."
        raise AreaError(message)
    rows = pd.concat([_steps(index, code, piece, factor) for factor, piece in pieces(index, node)], ignore_index=True)
    shown = index.table[(index.table["node_id"] == node) & (index.table["area_code"] == code)].iloc[0]
    if not np.isfinite(shown["estimate"]):
        missing = rows.loc[rows["value"].isna(), "name"]
        message = (
            f"'{node}' is not computed for {areas.at[code, 'name']}: {len(missing)} of its {len(rows)} indicators are "
            f"missing ({several(missing)}), more than the specification allows."
        )
        raise SpecError(message)
    profile = _profile(index, code, rows["indicator_id"].tolist(), top)
    grouped = rows.groupby("outcome", sort=False)[["weight", "contribution"]].sum().reset_index()
    framework = index.matrix.framework
    labels = [framework.node(str(o)).label for o in grouped["outcome"]]
    grouped.insert(1, "label", pd.Series(labels, dtype="str"))
    return Explanation(
        table=rows,
        outcomes=grouped,
        profile=profile,
        score=float(shown["estimate"]),
        lower=float(shown["lower"]),
        upper=float(shown["upper"]),
        node=node,
        area_code=code,
        text=_text(shown, rows, profile, framework),
        spec=index.spec,
        manifest=index.manifest,
    )


def strengths_and_weaknesses(
    values: pd.DataFrame,
    unit: str,
    *,
    directions: pd.Series | None = None,
    errors: pd.DataFrame | None = None,
    top: int = 5,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Indicators on which a unit ranks best and worst.

    Parameters
    ----------
    values : DataFrame
        Units × indicators; NaN is missing.
    unit : str
        Row of ``values``.
    directions : Series, optional
        Indicator → 1 (higher is better, the default) or -1.
    errors : DataFrame, optional
        Standard errors, same labels; without them the bounds are NaN.
    top : int
        How many of each, at most. A strength lies in the better half of the ranks, a weakness in the worse half.
    level : float
        Of the interval.

    Returns
    -------
    DataFrame
        ``what`` (``strength``, best first, then ``weakness``, worst first), ``indicator_id, rank`` (1 = best, ties
        share the better rank), ``of`` (units with a figure), ``value, lower, upper, level, clear``: whether the
        interval leaves out the middle unit's figure, so that the rank is no play of chance.

    Raises
    ------
    SpecError
        If the unit is not there, or a direction is neither 1 nor -1.

    Notes
    -----
    As ``get_str_weak`` of COINr, whose ties may stand in another order; here the framework's order decides.
    """
    figures = check_values(values, step=_STEP)
    if unit not in figures.index:
        message = f"`{_STEP}`: there is no unit '{unit}'. There are: {several(figures.index)}."
        raise SpecError(message)
    sign = signs(directions, figures.columns, step=_STEP)
    directed = figures * sign
    ranks, counts = directed.rank(ascending=False, method="min").loc[unit], figures.notna().sum()
    half = z_of(level) * (errors.loc[unit] if errors is not None else pd.Series(np.nan, index=figures.columns))
    middle, value = figures.median(), figures.loc[unit]
    table = pd.DataFrame(
        {
            "rank": ranks,
            "of": counts,
            "value": value,
            "lower": value - half,
            "upper": value + half,
            "level": level,
            "clear": (value - middle).abs() > half,
        }
    ).rename_axis("indicator_id")
    table = table[table["rank"].notna()].reset_index()
    # Ranks as shares of the units that have a figure, so that a short column does not look good or bad by its length.
    place = (table["rank"] - 0.5) / table["of"]
    best = table[place < 0.5].sort_values("rank", kind="stable").head(top)
    worst = table.loc[place[place > 0.5].sort_values(ascending=False, kind="stable").index].head(top)
    both = pd.concat([best.assign(what="strength"), worst.assign(what="weakness")], ignore_index=True)
    columns = ["what", "indicator_id", "rank", "of", "value", "lower", "upper", "level", "clear"]
    return both[columns].astype({"what": "str", "rank": int, "of": int})


def _steps(index: IndexResult, code: str, piece: str, factor: float) -> pd.DataFrame:
    """Every step of every indicator below one node."""
    matrix, framework, level = index.matrix, index.matrix.framework, index.spec.level
    part = cells(index, piece, areas=pd.Index([code]))
    amounts = factor * contributions(part)[0]
    z = z_of(level)
    given = dict(index.spec.directions)
    rows: list[dict[str, Any]] = []
    for at, name in enumerate(part.indicators):
        indicator, standard = framework.indicator(name), matrix.reference.loc[name]
        x, error = matrix.transformed.at[code, name], matrix.transformed_error.at[code, name]
        distance = (x - standard["centre"]) / standard["scale"]
        score, weight = part.scores[0, at], factor * part.weights[0, at]
        missing = weight == 0
        slope = 0.0 if missing else _slope(score, weight, part.estimate[0], part.method)
        half = z * part.errors[0, at] * slope
        rows.append(
            {
                "indicator_id": name,
                "name": indicator.name,
                "outcome": index.nodes[piece].weights.at[name, "outcome"],
                "measured": matrix.measured.at[code, name],
                "status": matrix.status.at[code, name],
                "unit": indicator.unit,
                "value": matrix.values.at[code, name],
                "lower": _natural(x - z * error, indicator),
                "upper": _natural(x + z * error, indicator),
                "level": level,
                "interval": "figures",
                "on_scale": x,
                "england": _natural(standard["centre"], indicator),
                "england_on_scale": standard["centre"],
                "spread": standard["scale"],
                "base_period": standard["base_period"],
                "standardised": distance,
                "direction": given.get(name, 1) if indicator.direction == 0 else indicator.direction,
                "score": score,
                "weight_if_all_present": factor * part.nominal[at],
                "weight": weight,
                "contribution": amounts[at],
                "contribution_lower": amounts[at] - half,
                "contribution_upper": amounts[at] + half,
            }
        )
    return pd.DataFrame(rows)


def _slope(score: float, weight: float, total: float, method: str) -> float:
    """How fast the node's score moves with an indicator's."""
    return weight if method == "arithmetic" else weight * (100 + 10 * total) / max(100 + 10 * score, 1e-6)


def _natural(x: float, indicator: Indicator) -> float:
    """A point of the indicator's scale in natural units."""
    low, high = indicator.valid_range
    return float(np.clip(inverse(np.array([x]), indicator.scale, low=low, high=high)[0], low, high))


def _profile(index: IndexResult, code: str, names: list[str], top: int) -> pd.DataFrame:
    """Strengths and weaknesses among places of ordinary size, by score (higher = better)."""
    framework, areas = index.matrix.framework, index.matrix.areas
    agreed = [n for n in names if not framework.indicator(n).contested]
    scores, errors = (
        pd.DataFrame({n: getattr(index.nodes[n], part) for n in agreed}, index=areas.index)
        for part in ("estimate", "error")
    )
    kept = areas["ranked"].to_numpy(bool) | (areas.index == code)
    if not agreed or not areas.at[code, "ranked"]:
        kept[:] = False
        kept[areas.index.get_loc(code)] = True
        agreed = []
    found = strengths_and_weaknesses(
        scores.loc[kept, agreed], code, errors=errors.loc[kept, agreed], top=top, level=index.spec.level
    ).rename(columns={"value": "score"})
    ids = found["indicator_id"].astype("str")
    found.insert(2, "name", pd.Series([framework.indicator(n).name for n in ids], dtype="str"))
    found.insert(3, "value", [float(index.matrix.values.at[code, n]) for n in ids])
    found.insert(4, "unit", pd.Series([framework.indicator(n).unit for n in ids], dtype="str"))
    return found


def _text(shown: pd.Series, rows: pd.DataFrame, profile: pd.DataFrame, framework: Framework) -> str:
    bounds = interval(shown["lower"], shown["upper"], level=shown["level"], decimals=2)
    there = rows[rows["weight"] > 0]
    sentences = [
        f"{shown['area_name']}, {shown['node_label']}, as measured by {shown['period']}: "
        f"{signed(shown['estimate'], 2)}, {bounds}. England in the base period is 0, a standard deviation "
        "between authorities 1, and higher is better. "
        f"The score adds up from {plural(len(there), 'indicator', 'indicators')}."
    ]
    ordered = there.sort_values("contribution", kind="stable")
    up, down = ordered[ordered["contribution"] > 0].tail(2)[::-1], ordered[ordered["contribution"] < 0].head(2)
    for part, verb in ((up, "Most is added by"), (down, "Most is taken away by")):
        if len(part):
            sentences.append(f"{verb} {listed([_one(row, framework) for _, row in part.iterrows()])}.")
    gone = rows.loc[rows["weight"] == 0, "name"].tolist()
    if gone:
        sentences.append(f"Missing, with the others standing in: {'; '.join(gone)}.")
    for what, words in (("strength", "Clearly better than the middle authority"), ("weakness", "Clearly worse")):
        clear = profile.loc[(profile["what"] == what) & profile["clear"], "name"].tolist()
        if clear:
            sentences.append(f"{words} on: {'; '.join(clear)}.")
    return associational(" ".join([*sentences, framework.notice]))


def _one(row: pd.Series, framework: Framework) -> str:
    indicator = framework.indicator(row["indicator_id"])
    value = number(row["value"], indicator.decimals, row["unit"])
    england = number(row["england"], indicator.decimals, row["unit"])
    whole = row["direction"] * row["standardised"]
    held = f" (capped from {signed(whole, 2)})" if abs(whole - row["score"]) > 1e-9 else ""
    return (
        f"{row['name']} ({value} in {row['measured']} beside England's {england} in {row['base_period']}: "
        f"score {signed(row['score'], 2)}{held}, weight {row['weight']:.1%}, "
        f"contributes {signed(row['contribution'], 2)})"
    )
