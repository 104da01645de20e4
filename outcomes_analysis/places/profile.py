"""One place: every figure with what it can be compared to, how sure it is, how old, and what cannot be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.comparison import FEWEST_NEIGHBOURS, USABLE, Statistic, segments
from outcomes_analysis.places.equity import EquityTwin, equity_twin
from outcomes_analysis.places.lines import ENGLAND, Setting, lines
from outcomes_analysis.places.neighbouring import Neighbours, neighbour_set
from outcomes_analysis.places.pathway import Pathway, early_years_pathway
from outcomes_analysis.places.summary import Place, compose
from outcomes_analysis.places.verdicts import spread_between
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, made_from

SCORE_COLUMNS = (
    "node_id", "node_label", "domain", "experimental", "disputed", "estimate", "lower", "upper", "level", "status",
    "england", "against_england", "standing", "neighbours_centre", "joint",
    "ranked_of",
)  # fmt: skip


class _Tabled(Protocol):
    @property
    def table(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class ProfileSpec:
    """What a profile was asked for: the place, the year it looks back from, the neighbours, the level."""

    area_code: str
    period: int
    neighbours: str
    statistic: Statistic
    level: float
    years: int


@dataclass(frozen=True, eq=False)
class AreaProfile:
    """One place on one page.

    Attributes
    ----------
    area_code, name, region_name, county : str
        The place; ``county`` is the authority that a district lies in, empty for an authority.
    period : int
        Year it looks back from: figures measured later are left out.
    table : DataFrame
        One row an indicator, in the framework's order, in natural units. What it is: ``domain, outcome,
        indicator_id, kind`` (:func:`outcomes_analysis.places.verdicts.kind_of`), ``name, unit, decimals, form,
        direction, contested, doublet, layer, tier, age_stage, cannot_tell``. The figure: ``period, measured`` (year),
        ``age`` (years), ``value, lower, upper, level, interval`` (from both variances where they are known, else as
        published), ``published_lower, published_upper, published_level, status, flags, symbol`` (``[c]`` and so on
        where there is no figure), ``latest_symbol, latest_period`` (a newer period without a figure), ``only_for``
        (the smallest wider area that has one where the place has none), ``source_id``. Beside it, all of the same
        period: ``england, region, neighbours_centre`` (median or mean), ``neighbours_count, neighbours_of``. Against
        England: ``verdict, position, reason, distance`` (in errors, positive where higher; NaN where not compared),
        ``standing`` (:func:`outcomes_analysis.places.verdicts.standing`, whether judged or not), ``clear`` (``above``,
        ``below`` or empty, once the number of comparisons is allowed for); the same with ``_neighbours``; ``spread``
        (standard deviation between authorities). Over time: ``trend`` (against itself), ``change, change_lower,
        change_upper, change_level, since, from_pandemic, trend_reason, trend_distance``; against England over the same
        time: ``england_change, change_beyond`` (the change less England's, which is taken as known) with
        ``change_beyond_lower, change_beyond_upper, distance_beyond, standing_change, verdict_change`` (``better``:
        moved more favourably than England; empty where no way is better).
    domains : DataFrame
        Rows of the index given for this place: ``node_id, node_label, domain, experimental, disputed`` (holds a
        contested indicator), ``estimate, lower, upper, level, england, against_england, standing`` (what may be said:
        the same, or ``depends on contested figures``), ``neighbours_centre, joint``
        (places that share the rank), ``ranked_of`` (places ranked) and what else the index has; empty if none was
        given.
    parts : DataFrame
        The same for the outcomes within experimental domains, which are shown before the domain.
    series : DataFrame
        ``indicator_id, period, period_start, period_end, value, lower, upper, level, status, flags, segment,
        england``: never join a line across two segments.
    equity : EquityTwin
        The domains beside the same domains for groups of children.
    sections : dict of str to str
        Prose by subject: opening, domains, experimental, judged (strengths first), contested, enablers, equity,
        neighbours, trends, pathway, withheld, missing (what cannot be measured here), method, notice.
    text : str
        The sections one after another.
    spec : ProfileSpec
    manifest : RunManifest
    neighbours : str
        The set it is compared with, in words; empty for none.
    pathway : Pathway
        Its cohorts from birth to age 11.
    """

    area_code: str
    name: str
    region_name: str
    county: str
    period: int
    table: pd.DataFrame
    domains: pd.DataFrame
    parts: pd.DataFrame
    series: pd.DataFrame
    equity: EquityTwin
    sections: dict[str, str]
    spec: ProfileSpec
    manifest: RunManifest
    neighbours: str = ""
    pathway: Pathway | None = None

    @property
    def text(self) -> str:
        """All sections, an empty line between them."""
        return "\n\n".join([f"{self.name}, {self.region_name}.", *self.sections.values()])

    def __str__(self) -> str:
        return self.text


def area_profile(
    name: str,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    period: int | None = None,
    index: _Tabled | None = None,
    parts: _Tabled | None = None,
    neighbours: Neighbours = "dfe_2025",
    statistic: Statistic = "median",
    level: float = LEVEL,
    years: int = 5,
) -> AreaProfile:
    """Everything the figures say about one authority or district.

    Parameters
    ----------
    name : str
        Any usual spelling, a former name, a GSS code or a DfE code.
    observations : DataFrame, optional
        The tidy table; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    period : int, optional
        Year to look back from; by default the latest year in which anything was measured.
    index : IndexResult or UncertaintyResult, optional
        Adds the domains.
    parts : IndexResult, optional
        Adds the outcomes within experimental domains; by default ``index``, where it has them.
    neighbours : str, list of str, DataFrame or None
        Name of a set (:func:`outcomes_analysis.places.neighbour_set`), names of at least three places, a table of pairs
        (``area_code, neighbour_code``), or none.
    statistic : {"median", "mean"}
        Of the neighbours that have a figure of the same period.
    level : float
        Of intervals and verdicts.
    years : int
        How far back a change may reach.

    Returns
    -------
    AreaProfile

    Raises
    ------
    AreaError
        If no such place is known (names that are really close are given), or it is a region or England; if there is
        no such set of neighbours.
    ObservationsError
        If the table holds nothing for the place by that year.
    """
    from outcomes_analysis.areas.register import load_register, resolve_place

    code = resolve_place(name)
    register = load_register()
    place = register.loc[code]
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    district = place["tier"] == "lower"
    region, county = str(place["region_code"]), str(register.loc[place["upper_code"], "name"]) if district else ""
    beside = neighbour_set(neighbours, observations=observations, period=period)
    pairs = beside.pairs[beside.pairs["area_code"].eq(code)]
    own = pairs["neighbour_code"]
    above = {str(place["upper_code"]): county} if district else {}
    above |= {region: f"the region ({place['region_name']})", ENGLAND: "England"}
    inside = register.index[register["upper_code"].eq(code) & register["tier"].eq("lower")]
    known, as_of = _relevant(observations, codes=[code, *above, *own, *inside], framework=framework, period=period)
    if not known["area_code"].eq(code).any():
        message = f"No figure for {place['name']} ({code}) measured by {as_of}. Choose a later year or another place."
        raise ObservationsError(message)
    spreads = _spreads(observations, known[known["area_code"].eq(code)])
    setting = Setting(
        code=code,
        above=above,
        inside=tuple(inside),
        region=region,
        neighbours=pairs,
        statistic=statistic,
        as_of=as_of,
        years=years,
        ranked=bool(place["ranked"] or district),
        level=level,
        spreads=spreads,
    )
    table = lines(known, framework=framework, setting=setting)
    domains, scores = _scores(index, parts=parts, setting=setting, framework=framework)
    spec = ProfileSpec(
        area_code=code, period=as_of, neighbours=beside.id, statistic=statistic, level=level, years=years
    )
    used = table.loc[table["value"].notna(), ["indicator_id", "period", "value", "source_id"]]
    said = Place(
        name=str(place["name"]),
        region=str(place["region_name"]),
        county=county,
        as_of=as_of,
        neighbours=beside.label if len(own) else "",
        statistic=statistic,
        ranked=setting.ranked,
        level=level,
    )
    twin = equity_twin(code, observations=observations, framework=framework, period=as_of, level=level)
    pathway = early_years_pathway(
        code,
        observations=observations,
        framework=framework,
        period=as_of,
        neighbours=neighbours,
        statistic=statistic,
        level=level,
    )
    sections = compose(
        table,
        domains=domains,
        parts=scores,
        equity=twin.text,
        pathway=pathway.text,
        framework=framework,
        place=said,
        years=years,
    )
    return AreaProfile(
        area_code=code,
        name=said.name,
        region_name=said.region,
        county=county,
        period=as_of,
        table=table,
        domains=domains,
        parts=scores,
        series=_series(known, framework=framework, code=code),
        equity=twin,
        sections=sections,
        spec=spec,
        manifest=made_from(
            used.to_dict(orient="list"),
            spec=spec,
            data_as_at=observations.attrs.get("data_as_at"),
            sources=used["source_id"],
        ),
        neighbours=said.neighbours,
        pathway=pathway,
    )


def _relevant(
    observations: pd.DataFrame, *, codes: list[str], framework: Framework, period: int | None
) -> tuple[pd.DataFrame, int]:
    """Whole-population rows of the place and all it is compared with, measured by a year; and that year."""
    ids = [i.id for i in framework.indicators]
    keep = (
        observations["area_code"].isin(codes)
        & observations["indicator_id"].isin(ids)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
    )
    rows = observations.loc[keep]
    # a few thousand rows cut into many small pieces: plain objects are quicker than Arrow's text there
    plain = {c: "object" for c in rows.columns if isinstance(rows[c].dtype, pd.StringDtype)}
    rows = rows.astype(plain).assign(year=rows["period_end"].dt.year)
    as_of = int(rows["year"].max()) if period is None and len(rows) else int(period or 0)
    return rows[rows["year"] <= as_of].sort_values("period_end", kind="stable"), as_of


def _spreads(observations: pd.DataFrame, own: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Standard deviation between authorities of each indicator in the period of the place's newest figure."""
    from outcomes_analysis.areas.register import upper_tier

    newest = own[own["value"].notna()].drop_duplicates("indicator_id", keep="last")
    wanted = dict(zip(newest["indicator_id"], newest["period"], strict=True))
    whole = (
        observations["group_type"].eq("all")
        & observations["period"].isin(set(wanted.values()))
        & observations["indicator_id"].isin(list(wanted))
        & observations["area_code"].isin(upper_tier(ranked_only=True).index)
        & observations["status"].isin(USABLE)
    )
    rows = observations.loc[whole, ["indicator_id", "period", "value"]]
    found = rows.groupby(["indicator_id", "period"], sort=False)["value"].agg(spread_between)
    return {(i, p): s for (i, p), s in found.items() if wanted.get(i) == p}


def _scores(
    index: _Tabled | None, *, parts: _Tabled | None, setting: Setting, framework: Framework
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of the domains for this place, in the framework's order; and those of the parts of experimental ones."""
    if index is None:
        return pd.DataFrame(columns=list(SCORE_COLUMNS)), pd.DataFrame(columns=list(SCORE_COLUMNS))
    own = _own_scores(index.table, setting=setting, framework=framework)
    within = own if parts is None else _own_scores(parts.table, setting=setting, framework=framework)
    inside = within["experimental"] & within["node_id"].ne(within["domain"])
    return own[own["node_id"].eq(own["domain"])].reset_index(drop=True), within[inside].reset_index(drop=True)


def _own_scores(table: pd.DataFrame, *, setting: Setting, framework: Framework) -> pd.DataFrame:
    """Scores of a place with England's, its neighbours' and how many share its rank."""
    nodes = {node.id: node for node in framework.nodes}
    order = {node: k for k, node in enumerate(nodes)}
    disputed = {node: any(i.scored and i.contested for i in framework.below(node)) for node in nodes}
    rows = table[table["node_id"].isin(nodes)]
    # how many of all places share a rank, before the others are let go
    rows = rows.assign(
        joint=rows.groupby(["node_id", "rank"])["area_code"].transform("size") if "rank" in rows else 0,
        ranked_of=rows.groupby("node_id")["rank"].transform("count") if "rank" in rows else 0,
    )
    near = set(setting.neighbours["neighbour_code"])
    beside = rows[rows["area_code"].isin(near)].groupby("node_id")["estimate"].agg([setting.statistic, "count"])
    centre = beside[setting.statistic].where(beside["count"] >= FEWEST_NEIGHBOURS)
    own = rows[rows["area_code"].eq(setting.code)]
    domain = own["node_id"].map(framework.domain_of)
    own = own.assign(
        node_label=own["node_id"].map(lambda n: nodes[n].label),
        domain=domain,
        experimental=domain.map(lambda d: nodes[d].experimental).astype(bool),
        disputed=own["node_id"].map(disputed).astype(bool),
        neighbours_centre=own["node_id"].map(centre),
    )
    own = _against_england(own)
    if not setting.ranked:
        own[["against_england", "standing"]] = ""
    return own.sort_values("node_id", key=lambda ids: ids.map(order)).reset_index(drop=True)


def _against_england(rows: pd.DataFrame) -> pd.DataFrame:
    """England's score for the same date where the index has it, else that of the base period, which is 0."""
    england = rows["england"] if "england" in rows else pd.Series(np.nan, index=rows.index)
    reference = england.fillna(0.0)
    lower, upper = (rows[c] if c in rows else pd.Series(np.nan, index=rows.index) for c in ("lower", "upper"))
    computed = np.select(
        [lower > reference, upper < reference, lower.notna() & upper.notna()],
        ["above", "below", "not clear"],
        default="",
    )
    said = rows["against_england"] if "against_england" in rows else pd.Series("", index=rows.index)
    against = said.where(said.fillna("").ne(""), computed)
    standing = rows.get("standing", against)
    return rows.assign(england=england, against_england=against, standing=standing)


def _series(known: pd.DataFrame, *, framework: Framework, code: str) -> pd.DataFrame:
    """History of every indicator, cut where it cannot be compared."""
    columns = ["indicator_id", "period", "period_start", "period_end", "value", "lower", "upper", "level"]
    order = {i.id: k for k, i in enumerate(framework.indicators)}
    breaks = {i.id: [b.period for b in i.breaks] for i in framework.indicators}
    own = known[known["area_code"].eq(code)]
    own = own.sort_values("indicator_id", key=lambda ids: ids.map(order), kind="stable")
    cut = [segments(part, breaks=breaks[str(name)]) for name, part in own.groupby("indicator_id", sort=False)]
    national = known[known["area_code"].eq(ENGLAND)].drop_duplicates(["indicator_id", "period"], keep="last")
    england = national.set_index(["indicator_id", "period"])["value"]
    keys = pd.MultiIndex.from_frame(own[["indicator_id", "period"]])
    result = own[[*columns, "status", "flags"]].assign(segment=pd.concat(cut), england=england.reindex(keys).to_numpy())
    return result.reset_index(drop=True)
