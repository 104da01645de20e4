"""Hypotheses beside the figures: for each link of a causal loop, which way the pattern between areas runs, if any.

A pattern between areas in the direction of a hypothesis does not show it to be right, nor one against it to be wrong. A
direction is told only where the rank correlation, with the likeness of neighbours allowed for, leaves out 0 on one
side both plainly and between places with similar child poverty by every measure of it, and still does among all the
links asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.analyses import FALSE_SHARE, correlations
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.cautions import cautions
from outcomes_analysis.relations.result import RelationResult
from outcomes_analysis.relations.sample import MINIMUM_AREAS, USABLE
from outcomes_analysis.relations.sentences import (
    checked,
    contested_marks,
    is_clear,
    own_words,
    short_name,
    with_capital,
)
from outcomes_analysis.relations.specification import POVERTY, RelationSpec
from outcomes_analysis.sources.hypothesis_form import Link
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, EXPLORATION, interval, listed, number, plural

type Verdict = Literal[
    "area pattern in the same direction",
    "area pattern in the opposite direction",
    "too uncertain",
    "not measured",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict.__value__)
SAME, OPPOSITE, UNCERTAIN, UNMEASURED = VERDICTS
DRAWS = 100  # of the intervals that are not used here
LONGEST_LOOP, MOST_LOOPS = 6, 50
NOT_PROOF = (
    "A pattern between areas in the direction of a hypothesis does not show that it is right, and one in the opposite "
    "direction does not show that it is wrong: other differences between areas may lie behind either."
)


@dataclass(frozen=True)
class HypothesesSpec:
    """What was asked: the links, in order, and the level of intervals."""

    links: tuple[Link, ...]
    level: float


@dataclass(frozen=True, eq=False)
class HypothesesResult:
    """Each hypothesis with the pattern between areas beside it.

    Attributes
    ----------
    table : DataFrame
        One row a link: ``line, start, end, sign, whose, says, start_indicator, end_indicator, year, n``; the rank
        correlation with the likeness of neighbours allowed for, ``estimate, lower, upper, level, interval``; ``alike``
        (the same between places with similar child poverty by each measure, in words), ``p_value`` (the largest of
        these), ``q_value`` (allowing for all pairs: Benjamini and Hochberg 1995), ``verdict`` (one of
        :data:`VERDICTS`), ``reason, contested, mind`` (what makes the two go together by the way they are made).
    cases : DataFrame
        One row a link and what is allowed for: ``line, adjusted_for, estimate, lower, upper, level, n, p_value``.
    loops : DataFrame
        Closed chains of links: ``loop`` (the things, in order), ``kind`` (``reinforcing`` or ``balancing``, by the
        hypotheses' own signs), ``links, same, opposite, uncertain, unmeasured``.
    text : str
    spec : HypothesesSpec
    manifest : RunManifest
    """

    table: pd.DataFrame
    cases: pd.DataFrame
    loops: pd.DataFrame
    text: str
    spec: HypothesesSpec
    manifest: RunManifest

    def __str__(self) -> str:
        return self.text

    def lines_about(self, one: str, other: str) -> tuple[str, ...]:
        """What hypotheses say of two indicators, with the pattern beside them, for a card."""
        pair = {one, other}
        mine = [{row["start_indicator"], row["end_indicator"]} == pair for row in self.table.to_dict("records")]
        return tuple(
            f"A hypothesis of {row['whose']} says: {row['says']}. Beside it: {row['verdict']}."
            for row in self.table[mine].to_dict("records")
        )


def weigh_hypotheses(
    links: Sequence[Link],
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    level: float = LEVEL,
) -> HypothesesResult:
    """Set the pattern between areas beside each hypothesis.

    Parameters
    ----------
    links : sequence of Link
        From :func:`outcomes_analysis.sources.hypothesis_form.load_hypotheses`.
    observations : DataFrame, optional
        The tidy table; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    level : float
        Of every interval.

    Returns
    -------
    HypothesesResult
        For each link the newest year in which both figures are known for thirty authorities or more. No verdict ever
        says that a hypothesis holds.
    """
    framework, observations, areas = defaults(framework, observations, None)
    years = _years(observations, {i for x in links for i in (x.start_indicator, x.end_indicator)}, areas.index)
    asked: dict[tuple[str, str], RelationResult | str] = {}
    for link in links:
        pair = (link.start_indicator, link.end_indicator)
        if pair not in asked:
            asked[pair] = _asked(*pair, years=years, observations=observations, framework=framework, level=level)
    rows, cases = [], []
    for link in links:
        found = asked[link.start_indicator, link.end_indicator]
        mine = [] if isinstance(found, str) else _cases(found)
        cases += [{"line": link.line, **case} for case in mine]
        rows.append(_row(link, found, mine, framework=framework))
    table = _judged(pd.DataFrame(rows), signs=[x.sign for x in links], level=level)
    loops = _loops(links, table)
    used = [found for found in asked.values() if isinstance(found, RelationResult)]
    return HypothesesResult(
        table=table,
        cases=pd.DataFrame(cases),
        loops=loops,
        text=_text(table, loops, framework=framework, links=links, level=level),
        spec=HypothesesSpec(tuple(links), level),
        manifest=RunManifest(
            data=hash_of([found.manifest.data for found in used]),
            data_as_at=max((found.manifest.data_as_at for found in used), default=""),
            spec=hash_of([[asdict(x) for x in links], level]),
            sources=tuple(sorted({source for found in used for source in found.manifest.sources})),
        ),
    )


def _years(observations: pd.DataFrame, ids: set[str], areas: pd.Index) -> dict[str, set[int]]:
    """Years in which enough authorities have a usable figure of each indicator."""
    rows = observations[
        observations["indicator_id"].isin(ids)
        & observations["area_code"].isin(areas)
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
    ]
    counts = rows.groupby([rows["indicator_id"], rows["period_end"].dt.year])["area_code"].nunique()
    known = counts[counts >= MINIMUM_AREAS]
    return {i: {int(y) for n, y in known.index if n == i} for i in ids}


def _asked(
    start: str,
    end: str,
    *,
    years: dict[str, set[int]],
    observations: pd.DataFrame,
    framework: Framework,
    level: float,
) -> RelationResult | str:
    """The correlations of a pair, or why there are none."""
    lacking = [side for side, indicator in (("the first", start), ("the second", end)) if not indicator]
    if lacking:
        return f"no indicator here stands for {listed(lacking)} of the two things"
    common = years.get(start, set()) & years.get(end, set())
    if not common:
        return "there is no year in which both have figures for thirty authorities"
    held = tuple(measure for measure in POVERTY if measure not in (start, end))
    spec = RelationSpec(
        outcome=end,
        predictors=(start,),
        years=(max(common),),
        confounders=held if len(held) == len(POVERTY) else (),
        samples=("all",),
    )
    return correlations(observations, spec=spec, framework=framework, level=level, draws=DRAWS)


def _cases(found: RelationResult) -> list[dict[str, Any]]:
    """Rank correlations with the likeness of neighbours allowed for: plain first, then each with poverty alike."""
    table = found.table[found.table["analysis"].eq("spearman_neighbours") & found.table["sample"].eq("all")]
    columns = ["adjusted_for", "alike", "estimate", "lower", "upper", "level", "n", "p_value", "status"]
    return [{str(k): v for k, v in row.items()} for row in table[columns].to_dict("records")]


def _row(
    link: Link, found: RelationResult | str, cases: list[dict[str, Any]], *, framework: Framework
) -> dict[str, Any]:
    known = [case for case in cases if case["status"] == "computed"]
    plain = next((case for case in known if not case["adjusted_for"]), None)
    alike = [case for case in known if case["adjusted_for"]]
    measured = [framework.indicator(i) for i in (link.start_indicator, link.end_indicator) if i]
    row: dict[str, Any] = {
        **{k: v for k, v in asdict(link).items() if k != "note"},
        "says": link.says,
        "year": pd.NA if isinstance(found, str) else found.spec.year,
        "n": pd.NA,
        "estimate": np.nan,
        "lower": np.nan,
        "upper": np.nan,
        "level": np.nan,
        "interval": "figures",
        "alike": "; ".join(f"{case['alike']}: {_figure(case)}" for case in alike),
        "p_value": np.nan,
        "sides": 0.0,
        "reason": found if isinstance(found, str) else "",
        "contested": listed([short_name(i) for i in measured if i.contested]),
        "mind": " ".join(cautions((measured[0], measured[1]))) if len(measured) > 1 else "",
    }
    if plain is None:
        row["reason"] = row["reason"] or "the rank correlation could not be had"
        return row
    row |= {c: plain[c] for c in ("n", "estimate", "lower", "upper", "level")}
    if not alike:
        poor = {link.start_indicator, link.end_indicator} & set(POVERTY)
        why = "poverty is one of the two" if poor else "no figures on poverty are recent enough"
        row["reason"] = f"places with similar child poverty cannot be compared: {why}"
        return row
    row["p_value"] = max(float(case["p_value"]) for case in (plain, *alike))
    sides = {float(np.sign(case["estimate"])) if is_clear(case) else 0.0 for case in (plain, *alike)}
    row["sides"] = sides.pop() if len(sides) == 1 else 0.0
    if row["sides"] == 0:
        row["reason"] = _why_unclear(plain, alike)
    return row


def _figure(case: dict[str, Any]) -> str:
    return f"{number(case['estimate'], 2)}, {interval(case['lower'], case['upper'], level=case['level'], decimals=2)}"


def _why_unclear(plain: dict[str, Any], alike: list[dict[str, Any]]) -> str:
    if not is_clear(plain):
        return "the interval of the plain rank correlation takes in 0"
    if not all(is_clear(case) for case in alike):
        return "between places with similar child poverty an interval takes in 0"
    return "between places with similar child poverty it runs the other way"


def _judged(table: pd.DataFrame, *, signs: Sequence[int], level: float) -> pd.DataFrame:
    """Add ``q_value`` and ``verdict``; ``reason`` where only the number of links took a direction away."""
    from scipy.stats import false_discovery_control

    result = table.assign(q_value=np.nan)
    pairs = ["|".join(sorted(p)) for p in zip(result["start_indicator"], result["end_indicator"], strict=True)]
    once = result["p_value"].groupby(np.array(pairs)).first().dropna()  # there and back again is one pair, and one try
    if len(once):
        shares = dict(zip(once.index, false_discovery_control(once.to_numpy(dtype=float), method="bh"), strict=True))
        result["q_value"] = [shares.get(pair, np.nan) for pair in pairs]
    verdicts: list[Verdict] = []
    for place, row in enumerate(result.to_dict("records")):
        if not np.isfinite(row["estimate"]):
            verdicts.append(UNMEASURED)
        elif row["sides"] == 0:
            verdicts.append(UNCERTAIN)
        elif row["q_value"] > FALSE_SHARE:
            verdicts.append(UNCERTAIN)
            result.loc[result.index[place], "reason"] = (
                "clear taken alone, but among so many links chance alone would bring that"
            )
        else:
            verdicts.append(SAME if row["sides"] == signs[place] else OPPOSITE)
    return result.assign(verdict=verdicts).drop(columns="sides")


def _loops(links: Sequence[Link], table: pd.DataFrame) -> pd.DataFrame:
    """Closed chains of links, each told once, starting from the thing named first in the file."""
    order = list(dict.fromkeys(thing for x in links for thing in (x.start, x.end)))
    place = {thing: k for k, thing in enumerate(order)}
    out: dict[str, list[int]] = {}
    for k, link in enumerate(links):
        out.setdefault(link.start, []).append(k)
    found: list[tuple[int, ...]] = []

    def walk(start: str, at: str, path: tuple[int, ...]) -> None:
        for k in out.get(at, ()):
            if len(found) >= MOST_LOOPS:
                return
            end = links[k].end
            if end == start:
                found.append((*path, k))
            elif place[end] > place[start] and len(path) + 1 < LONGEST_LOOP and end not in {links[j].end for j in path}:
                walk(start, end, (*path, k))

    for thing in order:
        walk(thing, thing, ())
    columns = ["loop", "kind", "links", "same", "opposite", "uncertain", "unmeasured"]
    rows = []
    for path in found:
        verdicts = table["verdict"].iloc[list(path)]
        things = [links[k].start for k in path]
        rows.append(
            {
                "loop": " \u2192 ".join([*things, things[0]]),
                "kind": "reinforcing" if np.prod([links[k].sign for k in path]) > 0 else "balancing",
                "links": len(path),
                **{
                    column: int(verdicts.eq(verdict).sum())
                    for column, verdict in zip(columns[3:], VERDICTS, strict=True)
                },
            }
        )
    return pd.DataFrame(rows, columns=columns)


def _text(
    table: pd.DataFrame, loops: pd.DataFrame, *, framework: Framework, links: Sequence[Link], level: float
) -> str:
    counts = table["verdict"].value_counts().reindex(list(VERDICTS), fill_value=0)
    tally = "; ".join(f"{verdict}: {int(counts[verdict])}" for verdict in VERDICTS)
    said = [f"{plural(len(table), 'hypothesis', 'hypotheses')} beside the figures. {with_capital(tally)}.", ""]
    said += [f"- {_sentence(row)}" for row in table.to_dict("records")]
    if len(loops):
        kinds = loops["kind"].value_counts()
        told = listed([f"{int(kinds[kind])} {kind}" for kind in ("reinforcing", "balancing") if kind in kinds])
        whole = int((loops["unmeasured"] == 0).sum())
        said += [
            "",
            f"The links close into {plural(len(loops), 'loop', 'loops')} ({told}, by the hypotheses' own signs); in "
            f"{whole} every link is measured.",
        ]
    used = {i for x in links for i in (x.start_indicator, x.end_indicator) if i}
    indicators = [framework.indicator(i) for i in sorted(used)]
    said += [
        "",
        f"A direction is told only where the {level:.0%} interval of the rank correlation, with the likeness of "
        "neighbours allowed for, leaves out 0 both plainly and between places with similar child poverty, and where "
        f"at most one in {round(1 / FALSE_SHARE)} of the directions told is to be chance.",
        f"{NOT_PROOF} {AREAS_NOT_CHILDREN}",
        *contested_marks(indicators),
        EXPLORATION,
    ]
    quoted = [words for i in indicators for words in own_words(i)]
    return checked("\n".join(said), quoted=[*quoted, *_their_words(links)])


def _sentence(row: dict[str, Any]) -> str:
    lead = f"A hypothesis of {row['whose']} says: {row['says']}. Beside it: {row['verdict']}"
    if not np.isfinite(row["estimate"]):
        return f"{lead} ({row['reason']})."
    mark = f" ({row['contested']}: contested)" if row["contested"] else ""
    figures = f"rank correlation {_figure(row)}, {row['n']} authorities, {row['year']}{mark}"
    beside = f"; between places with similar {row['alike']}" if row["alike"] else ""
    return f"{lead}; {figures}{beside}{f' ({row["reason"]})' if row['reason'] else ''}."


def _their_words(links: Iterable[Link]) -> list[str]:
    """What whoever drew the loop wrote: their claims, not ours."""
    return [words for x in links for words in (x.start, x.end, x.whose)]
