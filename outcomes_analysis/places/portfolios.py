"""A funder's programmes beside need: by domain, age stage and place, and what change could be seen at all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.covering import STAGES
from outcomes_analysis.places.detecting import CANNOT, IN_REACH, smallest_for
from outcomes_analysis.places.quantities import unit_words
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.evaluating.power import POWER
from outcomes_analysis.relations.sentences import checked, contested_marks, own_words, short_name
from outcomes_analysis.sources.portfolio_form import Programme

if TYPE_CHECKING:
    from outcomes_analysis.index import IndexResult

WORSE, BETTER, DISPUTED, UNCLEAR, UNJUDGED = (
    "clearly worse than England",
    "clearly better than England",
    "depends on contested figures",
    "not clear",
    "not judged",
)
STANDINGS = {"below": WORSE, "above": BETTER, "depends on contested figures": DISPUTED}
STAGE_KEYS = {stage.split(" (")[0]: stage for stage in STAGES[:5]}


@dataclass(frozen=True)
class PortfolioSpec:
    """What was asked: the programmes, the year of the index, level of intervals and chance of seeing a change."""

    programmes: tuple[Programme, ...]
    period: int
    level: float
    power: float


@dataclass(frozen=True, eq=False)
class PortfolioResult:
    """A portfolio beside need.

    Attributes
    ----------
    table : DataFrame
        One row a line of the file: ``line, programme, domain, age_stage, area_code, place, reach, indicator,
        indicator_name, contested, period, value, error, cohort, change, share, among_reached, verdict`` (see
        :class:`outcomes_analysis.places.detecting.Smallest`), ``standing`` (of the place on that domain), ``mind``.
    matrix : DataFrame
        Every domain by every age stage: ``domain, age_stage, programmes, places, reach, withheld`` (lines without
        reach); zeros where there is nothing.
    places : DataFrame
        Every authority by every domain: ``domain, area_code, place, standing, programmes, reach, withheld``.
    need : DataFrame
        By domain: ``domain, worse`` (authorities clearly worse than England), ``worse_with`` (of them, with a
        programme), ``places`` (with a programme), ``in_worse, in_better, in_disputed, in_unclear`` (of those places),
        ``experimental``.
    text : str
    spec : PortfolioSpec
    manifest : RunManifest
    """

    table: pd.DataFrame
    matrix: pd.DataFrame
    places: pd.DataFrame
    need: pd.DataFrame
    text: str
    spec: PortfolioSpec
    manifest: RunManifest

    def __str__(self) -> str:
        return self.text


def portfolio(
    programmes: Sequence[Programme],
    *,
    index: IndexResult,
    observations: pd.DataFrame | None = None,
    level: float = LEVEL,
    power: float = POWER,
) -> PortfolioResult:
    """Set a portfolio beside need, and say what change its figures could show.

    Parameters
    ----------
    programmes : sequence of Programme
        From :func:`outcomes_analysis.sources.portfolio_form.load_portfolio`.
    index : IndexResult
        Says which authorities are clearly worse than England on each domain.
    observations : DataFrame, optional
        The tidy table; by default the release.
    level : float
        Of the interval of a change.
    power : float
        Chance with which a change should be seen.

    Returns
    -------
    PortfolioResult
        An experimental domain is not judged. Reach is added up over programmes: a child in two of them counts twice,
        and that is said.
    """
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    framework = index.matrix.framework
    standing = _standing(index)
    table = _lines(programmes, standing, observations, framework=framework, level=level, power=power)
    matrix = _matrix(table, framework=framework)
    places = _places(table, standing)
    need = _need(places, index=index)
    spec = PortfolioSpec(tuple(programmes), index.matrix.period, level, power)
    named = [framework.indicator(i) for i in sorted(set(table["indicator"]) - {""})]
    quoted = [*(words for i in named for words in own_words(i)), *(p.name for p in programmes)]
    said = _text(table, matrix, need, places, framework=framework, level=level, power=power)
    return PortfolioResult(
        table=table,
        matrix=matrix,
        places=places,
        need=need,
        text=checked("\n".join([said, *contested_marks(named), wording.EXPLORATION]), quoted=quoted),
        spec=spec,
        manifest=RunManifest(
            data=index.manifest.data,
            data_as_at=index.manifest.data_as_at,
            spec=hash_of([[asdict(p) for p in programmes], index.spec.hash, level, power]),
            sources=index.manifest.sources,
        ),
    )


def _standing(index: IndexResult) -> pd.DataFrame:
    """Standing of every authority on every domain; experimental domains and unranked places are not judged."""
    ranked = upper_tier(ranked_only=True).index
    rows = index.table[index.table["kind"].eq("domain")]
    found = rows["standing"].map(STANDINGS).fillna(UNCLEAR)
    experimental = rows["node_id"].map({name: index.nodes[name].experimental for name in index.domains})
    judged = rows["estimate"].notna() & ~experimental & rows["area_code"].isin(ranked)
    return pd.DataFrame(
        {
            "domain": rows["node_id"],
            "area_code": rows["area_code"],
            "place": rows["area_name"],
            "standing": found.where(judged, UNJUDGED),
        }
    ).reset_index(drop=True)


def _lines(
    programmes: Sequence[Programme],
    standing: pd.DataFrame,
    observations: pd.DataFrame,
    *,
    framework: Framework,
    level: float,
    power: float,
) -> pd.DataFrame:
    on = standing.set_index(["domain", "area_code"])
    wanted = {p.indicator for p in programmes if p.indicator}
    mine = observations[_behind(observations, wanted, framework)]
    rows = []
    for programme in programmes:
        row = {
            "line": programme.line,
            "programme": programme.name,
            "domain": programme.domain,
            "age_stage": STAGE_KEYS[programme.stage],
            "area_code": programme.place,
            "place": str(on.at[(programme.domain, programme.place), "place"]),
            "standing": str(on.at[(programme.domain, programme.place), "standing"]),
            "reach": np.nan if programme.reach is None else float(programme.reach),
            "indicator": programme.indicator,
            "indicator_name": "",
            "unit": "",
            "contested": False,
            "mind": "",
        }
        if programme.indicator:
            measure = framework.indicator(programme.indicator)
            found = smallest_for(
                programme.indicator,
                programme.place,
                reach=programme.reach,
                observations=mine,
                framework=framework,
                level=level,
                power=power,
            )
            over = bool(found.cohort < (programme.reach or 0))
            row |= asdict(found) | {
                "indicator_name": measure.name,
                "unit": measure.unit,
                "contested": bool(measure.contested),
                "mind": "more children reached than are behind the figure" if over else "",
            }
        else:
            row |= dict.fromkeys(("value", "error", "cohort", "change", "share", "among_reached"), np.nan)
            row |= {"period": "", "verdict": "no figure is named that it hopes to see move"}
        rows.append(row)
    return pd.DataFrame(rows)


def _behind(observations: pd.DataFrame, wanted: set[str], framework: Framework) -> pd.Series:
    """Rows of the figures named, and of those from which the number of children behind them is taken."""
    follows = {framework.indicator(i).sampling.cohort_follows for i in wanted}
    return observations["indicator_id"].isin(wanted | follows | {"pop_0_17", "fsm_pct", "ehcp_pct", "sen_support_pct"})


def _matrix(table: pd.DataFrame, *, framework: Framework) -> pd.DataFrame:
    keys = ["domain", "age_stage"]
    every = pd.MultiIndex.from_product([[d.id for d in framework.domains], list(STAGE_KEYS.values())], names=keys)
    groups = _once(table).groupby(keys)
    found = pd.DataFrame(
        {
            "programmes": groups["programme"].nunique(),
            "places": groups["area_code"].nunique(),
            "reach": groups["reach"].sum(min_count=1),
            "withheld": groups["reach"].apply(lambda reach: int(reach.isna().sum())),
        }
    )
    result = found.reindex(every).reset_index()
    nothing = result["programmes"].isna()
    result.loc[nothing, ["programmes", "places", "reach", "withheld"]] = 0
    return result.astype(dict.fromkeys(("programmes", "places", "withheld"), int))


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Each programme, place and stage once within a domain, however many figures are named there."""
    return table.drop_duplicates(["programme", "area_code", "age_stage", "domain"])


def _reach(table: pd.DataFrame) -> float:
    """Children of every programme, place and stage once: on several domains they are the same children."""
    return float(table.groupby(["programme", "area_code", "age_stage"])["reach"].max().sum())


def _places(table: pd.DataFrame, standing: pd.DataFrame) -> pd.DataFrame:
    keys = ["domain", "area_code"]
    groups = _once(table).groupby(keys)
    found = pd.DataFrame(
        {
            "programmes": groups["programme"].nunique(),
            "reach": groups["reach"].sum(min_count=1),
            "withheld": groups["reach"].apply(lambda reach: int(reach.isna().sum())),
        }
    )
    result = standing.join(found, on=keys)
    result.loc[result["programmes"].isna(), ["programmes", "reach", "withheld"]] = 0
    return result.astype({"programmes": int, "withheld": int})


def _need(places: pd.DataFrame, *, index: IndexResult) -> pd.DataFrame:
    rows = []
    for name in index.domains:
        mine = places[places["domain"].eq(name)]
        there = mine[mine["programmes"] > 0]
        counts = there["standing"].value_counts()
        rows.append(
            {
                "domain": name,
                "worse": int(mine["standing"].eq(WORSE).sum()),
                "worse_with": int(counts.get(WORSE, 0)),
                "places": len(there),
                "in_worse": int(counts.get(WORSE, 0)),
                "in_better": int(counts.get(BETTER, 0)),
                "in_disputed": int(counts.get(DISPUTED, 0)),
                "in_unclear": int(counts.get(UNCLEAR, 0)),
                "experimental": bool(index.nodes[name].experimental),
            }
        )
    return pd.DataFrame(rows)


def _text(
    table: pd.DataFrame,
    matrix: pd.DataFrame,
    need: pd.DataFrame,
    places: pd.DataFrame,
    *,
    framework: Framework,
    level: float,
    power: float,
) -> str:
    reach = _reach(table)
    held = int(table["reach"].isna().sum())
    said = [
        f"{wording.plural(table['programme'].nunique(), 'programme', 'programmes')} in "
        f"{wording.plural(table['area_code'].nunique(), 'authority', 'authorities')}, reaching "
        f"{wording.number(reach, 0)} children a year as the file has it"
        f"{f' ({held} of {len(table)} lines withheld)' if held else ''}; a child in two programmes counts twice."
    ]
    labels = {d.id: d.label.split(":")[0] for d in framework.domains}
    empty = [labels[d] for d, n in matrix.groupby("domain", sort=False)["programmes"].sum().items() if n == 0]
    stages = matrix.groupby("age_stage", sort=False)["programmes"].sum()
    bare = [str(stage) for stage in stages.index if stages[stage] == 0]
    if empty:
        said.append(f"No programme on: {wording.listed(empty)}.")
    if bare:
        said.append(f"No programme for: {wording.listed(bare)}.")
    for row in need.to_dict("records"):
        if not row["places"]:
            continue
        label = labels[row["domain"]]
        if row["experimental"]:
            there = wording.plural(row["places"], "authority", "authorities")
            said.append(f"{label}: programmes in {there}. It is experimental, so no authority is judged on it.")
            continue
        there = wording.plural(row["places"], "authority", "authorities")
        said.append(
            f"{label}: programmes in {there}, {_judged_there(row)} (by {level:.0%} intervals). In all, "
            f"{wording.plural(row['worse'], 'authority is', 'authorities are')} clearly worse."
        )
    judged = table[table["verdict"].isin([IN_REACH, CANNOT])]
    if len(judged):
        hidden = judged[judged["verdict"].eq(CANNOT)]
        said.append(
            f"Of {wording.plural(len(judged), 'line that names', 'lines that name')} a figure and a reach, "
            f"{len(hidden) or 'none'} could not show in the place's figure, whatever happened to the children reached."
        )
        seen = judged[judged["verdict"].eq(IN_REACH)].sort_values("share", ascending=False)
        if len(seen):
            row = seen.iloc[0]
            name = short_name(framework.indicator(row["indicator"]))
            unit = "percentage points" if row["unit"] == "%" else unit_words(row["unit"])
            said.append(
                f"The widest reach is {wording.number(100 * row['share'], 1)}% of the children behind {name} in "
                f"{row['place']}: the smallest change from one year to the next that would be seen {power:.0%} of the "
                f"time is {wording.number(row['change'], 1)} {unit} ({level:.0%} interval), which asks for "
                f"{wording.number(row['among_reached'], 1)} among those reached."
            )
    said.append(
        "A change that could be seen says nothing of where it came from, and one too small to be seen may still matter "
        "to the children."
    )
    return "\n".join(said)


def _judged_there(row: dict[Hashable, Any]) -> str:
    """How many of the authorities with programmes are clearly worse and better than England."""
    if row["places"] == 1:
        sides = {"worse": row["in_worse"], "better": row["in_better"]}
        return next(
            (f"clearly {side} than England" for side, n in sides.items() if n), "neither clearly better nor worse"
        )
    worse, better = (row[c] or "none" for c in ("in_worse", "in_better"))
    return f"{worse} of them clearly worse than England and {better} clearly better"
