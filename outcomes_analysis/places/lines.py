"""One indicator's line of a profile: the figure, what it is compared with, and whether that can be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.places.comparison import (
    USABLE,
    Statistic,
    change_since,
    distance,
    neighbour_summary,
    total_interval,
)
from outcomes_analysis.places.verdicts import (
    BY_CHANCE,
    MANY,
    TURNED,
    controlled,
    kind_of,
    sampling_unknown,
    standing,
    verdict,
    why_unfit,
    why_withheld,
)

ENGLAND = "E92000001"
FIELDS = (
    "name",
    "unit",
    "decimals",
    "form",
    "direction",
    "contested",
    "doublet",
    "layer",
    "tier",
    "age_stage",
    "max_age",
)


@dataclass(frozen=True)
class Setting:
    """What every line of one profile shares.

    Attributes
    ----------
    code : str
        The place.
    above : dict of str to str
        Codes of the wider areas it lies in, nearest first, to what they are called: its county (of a district), its
        region, England.
    inside : tuple of str
        Codes of the districts within it.
    region : str
        Code of its region.
    neighbours : DataFrame
        ``area_code, neighbour_code``: those of the place.
    statistic : {"median", "mean"}
        Of the neighbours.
    as_of, years : int
        The year looked back from, and how far a change may reach.
    ranked : bool
        False for the City of London and the Isles of Scilly.
    level : float
        Of intervals and verdicts.
    spreads : dict of (str, str) to float
        Standard deviation between authorities by indicator and period
        (:func:`outcomes_analysis.places.verdicts.spread_between`); one that is not there is not known.
    """

    code: str
    above: Mapping[str, str]
    inside: tuple[str, ...]
    region: str
    neighbours: pd.DataFrame
    statistic: Statistic
    as_of: int
    years: int
    ranked: bool
    level: float
    spreads: Mapping[tuple[str, str], float] = field(default_factory=dict)


def lines(known: pd.DataFrame, *, framework: Framework, setting: Setting) -> pd.DataFrame:
    """Make the table of a profile.

    Parameters
    ----------
    known : DataFrame
        Observations of whole populations in the place and all it is compared with, with their ``year``, by period.
    framework : Framework
        Which indicators, in which order.
    setting : Setting

    Returns
    -------
    DataFrame
        As :class:`outcomes_analysis.places.profile.AreaProfile` has it. Judgements against England and the neighbours,
        and changes, are those left once the number of comparisons is allowed for
        (:func:`outcomes_analysis.places.verdicts.strands`).
    """
    histories = dict(tuple(known.groupby("indicator_id", sort=False)))
    rows = [
        _line(histories.get(i.id, known.iloc[:0]), indicator=i, framework=framework, setting=setting)
        for i in framework.indicators
    ]
    table = pd.DataFrame(rows)
    for suffix in ("", "_neighbours"):
        table = _after_control(table, suffix=suffix, level=setting.level)
    stays = controlled(table, distance="trend_distance", level=setting.level)
    chance = table["trend"].isin(["higher", "lower"]) & ~stays
    table["trend"] = table["trend"].mask(chance, "no clear change")
    table["trend_reason"] = table["trend_reason"].mask(chance, BY_CHANCE)
    return _beside_england(table, level=setting.level)


def _beside_england(table: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Say how each change stands to England's over the same time, which is taken as known."""
    kept = controlled(table, distance="distance_beyond", level=level)
    compared = table["england_change"].where(table["distance_beyond"].notna())
    stands = standing(
        lower=table["change_lower"], upper=table["change_upper"], comparator=compared, spread=table["spread"], kept=kept
    )
    turned = table["direction"].where(table["kind"].isin(TURNED), 0)
    better = np.where(stands == "above", turned > 0, turned < 0)
    judged = np.where(np.isin(stands, ["above", "below"]), np.where(better, "better", "worse"), stands)
    return table.assign(standing_change=stands, verdict_change=np.where(turned == 0, "", judged))


def _after_control(table: pd.DataFrame, *, suffix: str, level: float) -> pd.DataFrame:
    """Take back what is clear alone but not among all, and say how each figure stands, judged or not."""
    kept = controlled(table, distance=f"distance{suffix}", level=level)
    comparator = table["neighbours_centre" if suffix else "england"].where(table[f"distance{suffix}"].notna())
    stands = standing(
        lower=table["lower"], upper=table["upper"], comparator=comparator, spread=table["spread"], kept=kept
    )
    judged, reason = f"verdict{suffix}", f"reason{suffix}"
    chance = table[judged].isin(["better", "worse"]) & (stands == MANY)
    return table.assign(
        **{
            judged: table[judged].mask(chance, MANY),
            reason: table[reason].mask(chance, BY_CHANCE),
            f"standing{suffix}": stands,
            f"clear{suffix}": np.where(np.isin(stands, ["above", "below"]), stands, ""),
        }
    )


def _line(known: pd.DataFrame, *, indicator: Indicator, framework: Framework, setting: Setting) -> dict[str, Any]:
    """One indicator of the profile."""
    history = known[known["area_code"].eq(setting.code)]
    valued = history[history["value"].notna()]
    head = {
        "domain": framework.domain_of(indicator.outcome) if indicator.outcome else "",
        "outcome": indicator.outcome,
        "indicator_id": indicator.id,
        "kind": kind_of(indicator),
        **{field: getattr(indicator, field) for field in FIELDS},
        "cannot_tell": indicator.cannot_tell,
    }
    if valued.empty:
        return {**head, **_nothing(history), "only_for": _only_for(known, setting=setting)}
    figure = valued.iloc[-1]
    newer = history[history["period_end"] > figure["period_end"]]
    age = setting.as_of - int(figure["year"])
    # year-to-year variation alone would make a figure look surer than it is
    alone = indicator.sampling.model == "none" and known["period"].nunique() < 2  # its movement is other figures'
    unknown = alone or sampling_unknown(figure, indicator=indicator)
    error = float("nan") if unknown else float(figure["se_total"])
    interval = total_interval(float(figure["value"]), error, indicator=indicator, level=setting.level)
    both_known = bool(np.isfinite(interval[0]))
    return {
        **head,
        "period": figure["period"],
        "measured": int(figure["year"]),
        "age": age,
        "value": float(figure["value"]),
        "lower": interval[0] if both_known else figure["lower"],
        "upper": interval[1] if both_known else figure["upper"],
        "level": setting.level if both_known else figure["level"],
        "interval": "figures",
        "published_lower": figure["lower"],
        "published_upper": figure["upper"],
        "published_level": figure["level"],
        "status": figure["status"],
        "flags": figure["flags"],
        "symbol": wording.symbol(str(figure["status"]), str(figure["flags"])),
        "latest_symbol": wording.symbol(str(newer["status"].iloc[-1])) if len(newer) else "",
        "latest_period": newer["period"].iloc[-1] if len(newer) else "",
        **_comparisons(known, figure=figure, interval=interval, age=age, indicator=indicator, setting=setting),
        **_change(known, history=history, until=str(figure["period"]), indicator=indicator, setting=setting),
        "source_id": figure["source_id"],
        "only_for": "",
    }


def _comparisons(
    known: pd.DataFrame,
    *,
    figure: pd.Series[Any],
    interval: tuple[float, float],
    age: int,
    indicator: Indicator,
    setting: Setting,
) -> dict[str, Any]:
    """Hold a figure against England, its region and its neighbours, all of the same period."""
    columns = ["area_code", "status", "value"]
    same = known.loc[known["period"].eq(figure["period"]) & known["value"].notna(), columns].set_index("area_code")
    others = same.loc[same["status"].isin(USABLE), "value"]
    near = neighbour_summary(others, area=setting.code, neighbours=setting.neighbours, statistic=setting.statistic)
    england, regional = (float(same["value"].get(c, np.nan)) for c in (ENGLAND, setting.region))
    unfit = why_unfit(figure, indicator=indicator, age=age, ranked=setting.ranked)
    withheld = why_withheld(figure, indicator=indicator, age=age, ranked=setting.ranked)
    counted = not unfit and indicator.tier != "context"
    spread = setting.spreads.get((indicator.id, str(figure["period"])), float("nan"))
    found: dict[str, Any] = {
        "spread": spread,
        "england": england,
        "region": regional,
        "neighbours_centre": near.centre,
        "neighbours_count": near.having,
        "neighbours_of": near.of,
    }
    for suffix, comparator in (("", england), ("_neighbours", near.centre)):
        judged = verdict(
            value=float(figure["value"]),
            lower=interval[0],
            upper=interval[1],
            comparator=comparator,
            direction=indicator.direction,
            withheld=withheld,
            spread=spread,
        )
        apart = distance(float(figure["value"]), float(figure["se_total"]), comparator=comparator, indicator=indicator)
        found |= {
            f"verdict{suffix}": judged.judgement,
            f"position{suffix}": judged.position,
            f"reason{suffix}": judged.reason,
            f"distance{suffix}": apart if counted else float("nan"),
        }
    return found


def _change(
    known: pd.DataFrame, *, history: pd.DataFrame, until: str, indicator: Indicator, setting: Setting
) -> dict[str, Any]:
    """Change of the place, and England's over the same time."""
    change = change_since(history, indicator=indicator, years=setting.years, level=setting.level, ranked=setting.ranked)
    moved = float("nan")
    if change.since and indicator.form != "count":  # numbers of people rise with the place's own size
        england = known[known["area_code"].eq(ENGLAND)]
        national = dict(zip(england["period"], england["value"], strict=True))  # the last of a period stands
        moved = float(national.get(until, np.nan) - national.get(change.since, np.nan))
    return {
        "trend": change.direction,
        "change": change.change,
        "change_lower": change.lower,
        "change_upper": change.upper,
        "change_level": change.level,
        "since": change.since,
        "trend_reason": change.reason,
        "trend_distance": change.distance,
        "england_change": moved,
        "change_beyond": change.change - moved,
        "change_beyond_lower": change.lower - moved,
        "change_beyond_upper": change.upper - moved,
        "distance_beyond": (change.change - moved) / change.error if change.error > 0 else float("nan"),
        "from_pandemic": change.from_pandemic,
    }


def _only_for(known: pd.DataFrame, *, setting: Setting) -> str:
    """Say who has a figure where the place has none: its districts, else the smallest wider area, or nothing."""
    having = set(known.loc[known["value"].notna(), "area_code"])
    if having & set(setting.inside):
        return "its districts"
    return next((name for code, name in setting.above.items() if code in having), "")


def _nothing(history: pd.DataFrame) -> dict[str, Any]:
    """Columns of an indicator without any figure for this place."""
    status = str(history["status"].iloc[-1]) if len(history) else "not_available"
    symbol = wording.symbol(status)
    numbers = ("value", "lower", "upper", "level", "published_lower", "published_upper", "published_level")
    compared = ("spread", "england", "region", "neighbours_centre", "distance", "distance_neighbours")
    changed = ("change", "change_lower", "change_upper", "change_level", "trend_distance", "england_change")
    beyond = ("change_beyond", "change_beyond_lower", "change_beyond_upper", "distance_beyond")
    latest = str(history["period"].iloc[-1]) if len(history) else ""
    return {
        **dict.fromkeys((*numbers, *compared, *changed, *beyond, "measured", "age"), float("nan")),
        "from_pandemic": False,
        "period": latest,
        "interval": "figures",
        "status": status,
        "flags": str(history["flags"].iloc[-1]) if len(history) else "",
        "symbol": symbol,
        "latest_symbol": symbol,
        "latest_period": latest,
        "neighbours_count": 0,
        "neighbours_of": 0,
        **dict.fromkeys(("verdict", "verdict_neighbours"), "no figure"),
        **dict.fromkeys(("position", "position_neighbours"), ""),
        **dict.fromkeys(("reason", "reason_neighbours"), wording.SYMBOL_MEANINGS[symbol]),
        "trend": "not compared",
        "since": "",
        "trend_reason": "no figure",
        "source_id": "",
    }
