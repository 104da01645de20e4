"""What a model assumed of each quantity beforehand, beside what the figures made of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures import findings
from outcomes_analysis.figures.drawing import rows, theme
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.rows import Axis
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.wording import associational, listed, number, plural

_NEEDS = ("parameter", "kind", "prior_lower", "prior_upper", "estimate", "lower", "upper", "level")
#: Kinds of quantities in the order drawn, each with its heading; kinds not named here follow under their own.
_GIVEN = " given deprivation and region"  # left off a label whose heading says it
_HEADINGS = {
    "partial": "Correlations of domains, deprivation and region allowed for",
    "correlation": "Correlations of domains",
    "held": "How domains go with deprivation*",
    "level": "Levels of domains",
    "region": "Spread between regions*",
    "spread": "Spread between authorities, deprivation and region allowed for",
    "loading": "Loadings of indicators, deprivation and region allowed for",
    "own": "Own parts of indicators",
    "stays": "What indicators keep from year to year",
}
_STARRED = ("held", "region")  # on the scale of a domain given deprivation and region, not of all authorities
_STAR = (
    "* 1 = one standard deviation of a domain between authorities of one region with similar deprivation, which is "
    "less than one between all authorities: times the spread of that domain it is on the scale of the other quantities."
)
LEARNT = 0.5  # share of the range assumed that must be gone for the figures to have told most


@resizable
def prior_posterior(
    result: Any,
    *,
    kinds: Collection[str] = (),
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw the range assumed of each quantity as a pale bar and, on it, the estimate with its interval.

    Parameters
    ----------
    result : JointResult or DataFrame
        Its ``priors``: ``parameter, kind, prior_lower, prior_upper, estimate, lower, upper, level``; both ranges hold
        the same share.
    kinds : collection of str
        Which to draw, all by default.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Where the interval is about as wide as the bar, the figures told little and the answer rests on what was
        assumed; the title counts those.

    Raises
    ------
    FigureError
        If the table lacks columns, or has none of the kinds.
    """
    table = result if isinstance(result, pd.DataFrame) else result.priors
    problems = Problems("prior beside posterior")
    lacking = [c for c in _NEEDS if c not in table.columns]
    if lacking:
        problems.add(f"{len(lacking)} columns are missing: {several(lacking)}.")
        problems.raise_if_any(FigureError)
    known = list(dict.fromkeys(table["kind"]))
    strange = [kind for kind in kinds if kind not in known]
    if strange or table.empty:
        problems.add(f"no quantities of kind {several(strange)}; there are {several(known)}.")
    problems.raise_if_any(FigureError)
    order = [k for k in (*_HEADINGS, *known) if k in (kinds or known)]
    chosen = pd.concat([table[table["kind"] == kind] for kind in dict.fromkeys(order)], ignore_index=True)
    left = (chosen["upper"] - chosen["lower"]) / (chosen["prior_upper"] - chosen["prior_lower"])
    little = int((left > 1 - LEARNT).sum())
    drawn = pd.DataFrame(
        {
            "label": [_capital(str(p).removesuffix(_GIVEN)) for p in chosen["parameter"]],
            "group": [_HEADINGS.get(str(k), _capital(str(k))) for k in chosen["kind"]],
            "estimate": chosen["estimate"],
            "lower": chosen["lower"],
            "upper": chosen["upper"],
            "behind_lower": chosen["prior_lower"],
            "behind_upper": chosen["prior_upper"],
        }
    )
    level = round(100 * findings.level_of(chosen))
    count = plural(len(chosen), "quantity", "quantities")
    title = associational(
        f"For {len(chosen) - little} of {count} the figures narrowed the range assumed by more than half"
    )
    told = [
        f"{row.label} {number(row.estimate, 2)} ({number(row.lower, 2)} to {number(row.upper, 2)}; assumed "
        f"{number(row.behind_lower, 2)} to {number(row.behind_upper, 2)})"
        for row in drawn.itertuples()
    ]
    width = rows.body_width(size)
    return finished(
        rows.interval_rows(
            drawn,
            axis=Axis("in standard deviations between authorities (* see below), or a correlation"),
            width=width,
            behind=f"{level}% range assumed beforehand",
        ),
        title=title,
        subtitle=f"Dot and line: estimate and {level}% interval; a line as long as its bar rests on what was assumed",
        unit="as each quantity has it: standard deviations between authorities, or a correlation",
        source=source or figure_entry("prior-posterior").source,
        data_as_at=date_of(result, data_as_at),
        alt=associational(f"Pale bar, dot and line for each of {count}. {title}. {'; '.join(told)}."),
        data=chosen,
        notes=(
            _STAR if chosen["kind"].isin(_STARRED).any() else "",
            _outside(drawn, level=level),
            _experimental(result),
            WORKING_ASSIGNMENT,
        ),
        width=width,
        size=size,
    )


def _outside(drawn: pd.DataFrame, *, level: int) -> str:
    """Which estimates lie where hardly anything was assumed: those are drawn towards what was."""
    beyond = drawn[(drawn["estimate"] < drawn["behind_lower"]) | (drawn["estimate"] > drawn["behind_upper"])]
    if beyond.empty:
        return ""
    named = listed([f"{row.label[:1].lower()}{row.label[1:]}" for row in beyond.itertuples()])
    it, lies = ("it", "it may lie") if len(beyond) == 1 else ("them", "they may lie")
    return (
        f"Outside the {level}% range assumed: {named}. What was assumed is too narrow for {it} and draws {it} inwards: "
        f"{lies} further out."
    )


def _experimental(result: Any) -> str:
    """Which domains are experimental, where the result says."""
    table = getattr(result, "table", None)
    if table is None or "experimental" not in table.columns:
        return ""
    domains = table[table["quantity"].eq("domain") & table["experimental"].eq(True)]["domain"]
    named = [_capital(str(domain)) for domain in dict.fromkeys(domains)]
    if not named:
        return ""
    verb, whose = ("is", "its") if len(named) == 1 else ("are", "their")
    return f"{listed(named)} {verb} experimental: {whose} figures do not measure one thing."


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
