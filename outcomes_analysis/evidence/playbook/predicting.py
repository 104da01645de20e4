"""Predictions of associations and of figures, sealed before the figures are there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.evidence.playbook.known import breaks_between, rank_correlation, rounded, stamp, years_known
from outcomes_analysis.evidence.playbook.ledger import Entry, append
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.target_wording import SCENARIO_WORDS
from outcomes_analysis.places.trajectories import trajectory
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.sentences import short_name
from outcomes_analysis.wording import interval

FARTHEST = 3  # years ahead


def replication_interval(lower: float, upper: float, estimate: float) -> tuple[float, float]:
    """Where the same correlation should lie when it is found again from as many places.

    Parameters
    ----------
    lower, upper, estimate : float
        Correlation and its interval, symmetric on Fisher's scale.

    Notes
    -----
    Patil, Peng and Leek (2016), Perspectives on Psychological Science 11: the variance of the new estimate is added to
    that of the old, here equal to it. Figures of successive years share most of their places' lasting traits, so that
    more than the stated share should fall inside.
    """
    half = np.sqrt(2.0) * (np.arctanh(upper) - np.arctanh(lower)) / 2.0
    middle = np.arctanh(estimate)
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def seal_relation(
    predictor: str,
    outcome: str,
    *,
    year: int,
    note: str = "",
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    path: Path | None = None,
    today: date | None = None,
) -> Entry:
    """Seal where the rank correlation of two figures will lie in a year that is not known yet.

    Parameters
    ----------
    predictor, outcome : str
        Indicator ids.
    year : int
        In which both figures' periods end.
    note : str
        Kept with the prediction.
    observations, framework
        By default the release and the Common Outcomes Framework.
    path, today
        As of :func:`outcomes_analysis.evidence.playbook.ledger.append`.

    Returns
    -------
    Entry
        Its ``hash`` is the seal to give to somebody else.

    Raises
    ------
    SpecError
        If the release has figures of both for that year already, the year is more than three ahead, a break is declared
        in between, or there is no earlier year with both.
    FrameworkError, ProjectError
        If an indicator is not known, or the ledger is broken or cannot be written.
    """
    framework, observations, areas = defaults(framework, observations, None)
    have = {i: years_known(observations, i, areas.index, framework=framework) for i in (predictor, outcome)}
    common = set.intersection(*have.values())
    origin = _origin(f"{predictor} with {outcome}", common, year)
    _refuse_break([predictor, outcome], origin, year, framework=framework)
    row = rank_correlation(predictor, outcome, origin, observations=observations, framework=framework)
    lower, upper = replication_interval(row["lower"], row["upper"], row["estimate"])
    content = {
        "what": "relation",
        "predictor": predictor,
        "outcome": outcome,
        "year": year,
        "origin": origin,
        "statistic": row["analysis"],
        "sign": int(np.sign(row["estimate"])),
        "estimate": rounded(row["estimate"]),
        "lower": rounded(lower),
        "upper": rounded(upper),
        "level": float(row["level"]),
        "known_already": sorted(i for i, years in have.items() if year in years),
        **stamp(note, observations),
    }
    return append(content, kind="seal", path=path, today=today)


def seal_forecast(
    indicator: str,
    *,
    year: int,
    scenario: str = "no_change",
    note: str = "",
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    level: float = LEVEL,
    path: Path | None = None,
    today: date | None = None,
) -> Entry:
    """Seal where every authority will stand on an indicator in a year that is not known yet.

    Parameters
    ----------
    indicator : str
    year : int
        In which the period ends.
    scenario : {"no_change", "recent_drift"}
        What England is taken to do. On cut releases of seven indicators (24 forecasts of a year ahead, 2018 to 2025)
        the mean error was 1.28 if England stayed where it was and 1.47 if its recent drift went on; 95 and 94 % of
        figures fell inside the 90 % intervals.
    note, observations, framework, level, path, today
        As of :func:`seal_relation`.

    Returns
    -------
    Entry

    Raises
    ------
    SpecError
        If the release has figures for that year already, the year is more than three ahead, a break is declared in
        between, or the scenario is not known.
    ObservationsError, FrameworkError, ProjectError
        If there are too few comparable years, the indicator is not known, or the ledger is broken.
    """
    if scenario not in ("recent_drift", "no_change"):
        message = f"The scenario is recent_drift or no_change, not '{scenario}'."
        raise SpecError(message)
    framework, observations, areas = defaults(framework, observations, None)
    origin = _origin(indicator, years_known(observations, indicator, areas.index, framework=framework, fewest=1), year)
    _refuse_break([indicator], origin, year, framework=framework)
    low, high = framework.indicator(indicator).valid_range
    goal = float(np.clip(_newest_england(observations, indicator), low, high))
    found = trajectory(
        indicator, target=goal, year=year, observations=observations, framework=framework, level=level, score=False
    )
    rows = found.table[found.table["scenario"].eq(scenario) & found.table["estimate"].notna()]
    figures = {
        str(r["area_code"]): [rounded(r[c]) for c in ("estimate", "lower", "upper", "value")]
        for r in rows.dropna(subset=["value", "lower", "upper"]).to_dict("records")
    }
    content = {
        "what": "forecast",
        "indicator": indicator,
        "year": year,
        "origin": origin,
        "scenario": scenario,
        "level": float(level),
        "figures": figures,
        **stamp(note, observations),
    }
    return append(content, kind="seal", path=path, today=today)


def _origin(what: str, known: set[int], year: int) -> int:
    """Newest year known; refuses a year that is known, past, or too far ahead."""
    if not known:
        message = f"There are no figures yet of {what}, so nothing can be foretold."
        raise SpecError(message)
    newest = max(known)
    if year <= newest:
        message = (
            f"The release has figures of {what} up to {newest}: a prediction for {year} would not be made beforehand. "
            f"Choose {newest + 1} to {newest + FARTHEST}."
        )
        raise SpecError(message)
    if year > newest + FARTHEST:
        message = f"{year} is more than {FARTHEST} years after {newest}, the newest figures of {what}. Choose nearer."
        raise SpecError(message)
    return newest


def _refuse_break(ids: Sequence[str], origin: int, year: int, *, framework: Framework) -> None:
    found = breaks_between(ids, origin, year, framework=framework)
    if found:
        message = f"A break is declared between {origin} and {year}: {several(found)}. The figures will not compare."
        raise SpecError(message)


def _newest_england(observations: pd.DataFrame, indicator: str) -> float:
    rows = observations[
        observations["indicator_id"].eq(indicator)
        & observations["area_code"].eq(ENGLAND)
        & observations["group"].eq("all")
        & observations["value"].notna()
    ]
    return float(rows.sort_values("period_end")["value"].iloc[-1]) if len(rows) else 0.0


def ids_of(content: dict[str, Any]) -> list[str]:
    """Indicators a prediction is of."""
    return [content["predictor"], content["outcome"]] if content["what"] == "relation" else [content["indicator"]]


def foretold_words(content: dict[str, Any]) -> str:
    """What was foretold, in words."""
    if content["what"] == "relation":
        way = "higher with higher" if content["sign"] > 0 else "higher with lower"
        span = interval(content["lower"], content["upper"], level=content["level"], decimals=2)
        return f"the direction foretold is {way}; rank correlation {span}"
    said = f"{len(content['figures'])} figures with {content['level']:.0%} intervals"
    return f"{said}, {SCENARIO_WORDS[content['scenario']]}"


def seal_words(entry: Entry, framework: Framework) -> str:
    """What was sealed, in words for whoever sealed it."""
    content = entry.content
    measured = [framework.indicator(i) for i in ids_of(content)]
    names = " and ".join(f"{short_name(i)}{' (contested)' if i.contested else ''}" for i in measured)
    known = content.get("known_already", [])
    told = f" Figures of {several(known)} for that year are known already." if known else ""
    return (
        f"Prediction {entry.number} is sealed: {names}, {content['year']}; {foretold_words(content)}.{told}\n"
        f"Seal {entry.hash}\n"
        "The ledger shows tampering; only somebody else can show the date. Give them the seal today."
    )
