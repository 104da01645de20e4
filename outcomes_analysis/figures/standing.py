"""Which way a node's numbers run in a figure, and how each area stands against England's score of the same date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.relations.sentences import in_sentence
from outcomes_analysis.wording import listed, number, plural

# City of London and Isles of Scilly: too few children to rank or to set the classes by.
UNRANKED = frozenset({"E09000001", "E06000053"})
# Scored, but given no rank: the place or the node cannot bear one.
UNRANKED_STATUS = frozenset({"not_ranked", "withheld"})
_TURNED = {"above": "below", "below": "above"}
ENGLAND = "England"
NOT_ENGLAND = "mean of authorities"  # what a scale is centred on where England has no figure
SHOWN = 0.005  # differences in a score below this are not printed
_SIGNS = {"above": 1.0, "below": -1.0, "not clear": 0.0, DEPENDS: 0.0}


@dataclass(frozen=True)
class Sense:
    """Which way the numbers of a node run, with the words and colours that say so.

    Attributes
    ----------
    up, down : str
        What a place clearly above and clearly below England is: ``better`` and ``worse`` where the direction is
        agreed, else ``more`` and ``fewer`` (counts and rates) or ``higher`` and ``lower``.
    sign : int
        -1 where scores have to be turned round to run in the measure's own direction.
    mark : {"", "experimental", "contested", "neutral", "not ranked"}
        Why the node as a whole is not ranked; ``not ranked`` where its figures do not bear ranks.
    why : str
        Why its direction is contested, or why its figures do not bear ranks.
    """

    up: str = "better"
    down: str = "worse"
    sign: int = 1
    mark: str = ""
    why: str = ""

    @property
    def agreed(self) -> bool:
        """Whether a higher score is better without dispute."""
        return self.up == "better"

    @property
    def against(self) -> tuple[str, str, str]:
        """Fills of clearly below, not clear, and clearly above."""
        return theme.AGAINST if self.agreed else theme.NEUTRAL_AGAINST

    @property
    def sequence(self) -> tuple[str, ...]:
        """Fills from lowest to highest."""
        return theme.SEQUENTIAL if self.agreed else theme.NEUTRAL_SEQUENTIAL

    def named(self, label: str) -> str:
        """Label with the mark behind it that a title owes its reader: ``Happy (experimental)``."""
        return f"{label} ({self.mark})" if self.mark else label

    @property
    def note(self) -> str:
        """What a reader has to know before reading the node as good or bad; empty for most."""
        if self.mark == "experimental":
            return "Experimental: its figures do not measure one thing, so it is only explored and given no ranks."
        if self.mark == "contested":
            why = f" {self.why}" if self.why else ""
            return f"Contested, so neither {self.up} nor {self.down} is called better, and no ranks are given.{why}"
        if self.mark == "neutral":
            return f"Neither {self.up} nor {self.down} is better here, and no ranks are given."
        return f"Not ranked: {self.why or 'its figures do not bear ranks'}." if self.mark else ""


AGREED = Sense()


def sense_of(
    rows: pd.DataFrame, node: str, *, framework: Framework | None = None, contested_share: float = 0.0
) -> Sense:
    """Find which way a node's scores are to be read.

    Parameters
    ----------
    rows : DataFrame
        Rows of the node: ``area_code, estimate, status`` and, if known, ``kind``.
    node : str
        Its id.
    framework : Framework, optional
        Where a single measure's direction is looked up; the project's own by default, and only for measures.
    contested_share : float
        How much of the node's weight is contested; a node of contested measures alone is itself contested.

    Returns
    -------
    Sense
        A domain or outcome is read as better or worse; so is a measure whose direction is agreed, whichever it is,
        since its score already runs so. A contested or neutral measure is read in its own direction.
    """
    above = "kind" in rows.columns and not rows["kind"].eq("indicator").all()
    indicator = None if above else _indicator(node, framework)
    if indicator is None or (indicator.direction != 0 and not indicator.contested):
        mark, why = _mark(rows, measure=indicator is not None)
        if contested_share > 1 - 1e-9:
            return Sense("higher", "lower", mark="contested", why="All of its indicators are contested.")
        if indicator is None and not above and "kind" in rows.columns and mark == "experimental":
            return Sense("higher", "lower", mark="contested")  # a measure that no framework at hand knows
        return Sense(mark=mark, why=why)
    up, down = ("more", "fewer") if indicator.form in ("rate", "count", "dsr") else ("higher", "lower")
    kind = "contested" if indicator.contested else "neutral"
    return Sense(up, down, sign=indicator.direction or 1, mark=kind, why=indicator.contested)


def _mark(rows: pd.DataFrame, *, measure: bool) -> tuple[str, str]:
    """Mark of a node whose direction is agreed, and why it has none of the ranks it might have."""
    if not is_unranked(rows):
        return "", ""
    reasons = rows["withheld"].dropna() if "withheld" in rows.columns else pd.Series(dtype="str")
    why = next((str(reason) for reason in reasons if str(reason)), "")
    if measure or (why and not why.startswith("experimental")):
        return "not ranked", why
    return "experimental", ""


def _indicator(node: str, framework: Framework | None) -> Indicator | None:
    known = framework if framework is not None else load_framework()
    return next((i for i in known.indicators if i.id == node), None)


def framework_of(result: Any) -> Framework | None:
    """Framework a result was made with, where it carries one."""
    index = getattr(result, "index", result)
    return getattr(getattr(index, "matrix", None), "framework", None)


def is_unranked(rows: pd.DataFrame) -> bool:
    """Whether a node as a whole is not ranked: scores are there, and every one of them is marked so."""
    if "status" not in rows.columns:
        return False
    scored = rows[rows["estimate"].notna() & ~rows["area_code"].isin(UNRANKED)]
    return bool(len(scored)) and bool(scored["status"].isin(UNRANKED_STATUS).all())


def turned(rows: pd.DataFrame, sense: Sense) -> pd.DataFrame:
    """Rows in the direction in which the figure reads them: unchanged for scores, a measure's own where contested."""
    if sense.sign > 0:
        return rows
    swapped = {"lower": "upper", "upper": "lower", "estimate": "estimate"}
    swapped |= {f"{name}_agreed": f"{other}_agreed" for name, other in swapped.items()}
    swapped |= {name: name for name in ("england", "england_alike", "england_agreed")}
    new = {name: -rows[other] for name, other in swapped.items() if other in rows.columns}
    verdicts = [c for c in ("against_england", "against_england_agreed", "standing") if c in rows.columns]
    return rows.assign(**new, **{c: rows[c].replace(_TURNED) for c in verdicts})


def england_of(rows: pd.DataFrame) -> float:
    """England's score on the node at the same date; NaN where the table does not say."""
    if "england" not in rows.columns or rows["england"].isna().all():
        return float("nan")
    return float(rows["england"].dropna().iloc[0])


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose estimate and interval can be compared: scored places other than the two tiny ones."""
    if not {"lower", "upper"} <= set(rows.columns):
        return rows.iloc[:0]
    finite = rows[["estimate", "lower", "upper"]].notna().all(axis=1)
    return rows[finite & ~rows["area_code"].isin(UNRANKED)]


def signs(rows: pd.DataFrame) -> pd.Series:
    """How each row stands: 1 where it is clearly above England's score of the same date, -1 below, 0 neither.

    What the table says may be said (``standing``: a verdict that depends on contested figures is none, see
    :func:`depends`), or its ``against_england``; else the interval is held against ``england``, or against 0 (England
    in the base period, or the places compared with) where there is no such column. NaN where there is no interval,
    and for the two tiny authorities.
    """
    known = judged(rows)
    found = pd.Series(np.nan, index=rows.index)
    england = england_of(rows)
    centre = 0.0 if np.isnan(england) else england
    sign = (known["lower"] > centre).astype(float) - (known["upper"] < centre).astype(float)
    column = _verdict(known)
    if column:
        sign = known[column].map(_SIGNS).fillna(sign)
    found[known.index] = sign.astype(float)  # where nothing can be compared the words are no numbers
    return found


def _verdict(known: pd.DataFrame) -> str:
    """Column that says how places stand; a node of contested indicators alone has only the one verdict."""
    both = {"standing", "against_england_agreed"} <= set(known.columns)  # other tables have a standing of their own
    if both and not known["against_england_agreed"].eq("").all():
        return "standing"
    return "against_england" if "against_england" in known.columns else ""


def depends(rows: pd.DataFrame) -> pd.Series:
    """Whether the verdict on each row differs with and without contested indicators, so that none is given."""
    known = judged(rows)
    said = known["standing"].eq(DEPENDS) if _verdict(known) == "standing" else pd.Series(False, index=known.index)
    return said.reindex(rows.index, fill_value=False).astype(bool)


def both_ways(rows: pd.DataFrame, label: str) -> str:
    """Counts with and without contested indicators, and where both agree; empty where nothing depends on them."""
    if not depends(rows).any():
        return ""
    known = judged(rows)
    columns = ("against_england", "against_england_agreed", "standing")
    counts = [tuple(int(known[c].eq(side).sum()) for side in ("above", "below")) for c in columns]
    (better, worse), without, both = counts
    return (
        f"{label}: with its contested indicators {better} authorities are clearly better than {nation_of(rows)} and "
        f"{worse} "
        f"clearly worse, without them {without[0]} and {without[1]}, both ways {both[0]} and {both[1]}."
    )


def alike_line(rows: pd.DataFrame) -> str:
    """Which places are compared with England over fewer parts, since they lack some; empty where none is."""
    if "england_alike" not in rows.columns:
        return ""
    known = judged(rows)
    away = (known["england_alike"] - known["england"]).abs()
    if not (away > SHOWN).any():
        return ""
    return (
        f"{plural(int((away > SHOWN).sum()), 'authority that lacks', 'authorities that lack')} some figures: compared "
        f"with {nation_of(rows)}\u2019s score from the others alone, which differs by {number(away.max(), 2)} at most."
    )


def against_counts(rows: pd.DataFrame) -> tuple[int, int, int]:
    """Places clearly above, clearly below, and all that can be compared."""
    sign = signs(rows).dropna()
    return int((sign > 0).sum()), int((sign < 0).sum()), len(sign)


def chance_line(compared: int, level: float, *, against: str = "England", what: str = "places", each: str = "") -> str:
    """How many would be called different if none was: what a reader of many verdicts at once has to know.

    Parameters
    ----------
    compared : int
        Verdicts that could be given.
    level : float
        Of the interval by which each is given.
    against : str
        What each is compared with.
    what : str
        What is compared, in the plural.
    each : str
        Where the same holds several times over: ``on each map``.
    """
    if compared == 0:
        return ""
    some = " ".join(part for part in (f"up to {number((1 - level) * compared, 0)} of {compared} {what}", each) if part)
    return f"If none differed from {against}, {some} would still be called clearly different, by chance alone."


def nation_of(rows: pd.DataFrame) -> str:
    """Whose score places are compared with: the column ``nation`` of another geography, else England."""
    named = [str(name) for name in rows["nation"].dropna().head(1)] if "nation" in rows.columns else []
    return named[0] if named else ENGLAND


def england_name(rows: pd.DataFrame) -> str:
    """What places are compared with, in the words of titles and keys."""
    nation = nation_of(rows)
    return f"{nation} in the base period" if np.isnan(england_of(rows)) else nation


def england_words(rows: pd.DataFrame, sense: Sense = AGREED) -> str:
    """What England stands for and where it stands, for subtitles and keys: ``England's own score ... is 0.21``."""
    england = england_of(rows)
    if np.isnan(england):
        return f"0 = {nation_of(rows)} in the base period"
    what = "score" if sense.agreed else "figure"
    return f"{nation_of(rows)}\u2019s own {what} for the same date is {number(england, 2)}"


def contested_shares(result: Any, nodes: Sequence[str]) -> dict[str, float]:
    """Share of each node's weight that lies in contested indicators; only nodes with some, only where known.

    Parameters
    ----------
    result : IndexResult or UncertaintyResult
        Anything else has no weights, and gives nothing.
    """
    framework = framework_of(result)
    scored: Mapping[str, Any] = getattr(getattr(result, "index", result), "nodes", {})
    if framework is None:
        return {}
    disputed = {i.id for i in framework.indicators if i.contested}
    found = {}
    for node in nodes:
        score = scored.get(node)
        if score is None or score.kind == "indicator":
            continue
        weights = score.weights["weight"]
        share = float(weights[weights.index.isin(disputed)].sum() / weights.sum())
        if share > 0:
            found[node] = share
    return found


def zero_words(result: Any, nodes: Sequence[str]) -> str:
    """For which indicators below the nodes 0 is not England, since it has no figure of its own; empty for most.

    Parameters
    ----------
    result : IndexResult or UncertaintyResult
        Anything else does not know, and gives nothing.
    """
    index = getattr(result, "index", result)
    scored: Mapping[str, Any] = getattr(index, "nodes", {})
    reference = getattr(getattr(index, "matrix", None), "reference", None)
    framework = framework_of(result)
    if reference is None or framework is None or "centre_from" not in getattr(reference, "columns", ()):
        return ""
    below = dict.fromkeys(name for node in nodes if node in scored for name in scored[node].weights.index)
    made = [name for name in below if name in reference.index and reference.at[name, "centre_from"] == NOT_ENGLAND]
    names = [in_sentence(framework.indicator(name).name) for name in made]
    return f"for {listed(names)} 0 = the mean of authorities then, not England" if names else ""


def contested_line(shares: Mapping[str, float], labels: Mapping[str, str]) -> str:
    """One line on how much of each node's weight is contested; empty where none is."""
    if not shares:
        return ""
    ordered = sorted(shares.items(), key=lambda pair: -pair[1])
    parts = [f"{number(100 * share, 0, '%')} of the weight of {labels[node]}" for node, share in ordered]
    return f"Contested indicators, where people disagree which way is better, carry {listed(parts)}."
