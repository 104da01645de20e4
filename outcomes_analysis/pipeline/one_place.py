"""One place on the default data: its profile, figures, evidence cards and targets, for its page and its pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from outcomes_analysis.errors import AreaError, SourceError
from outcomes_analysis.pipeline.results import PERIOD, default_index, default_uncertainty
from outcomes_analysis.wording import plural

if TYPE_CHECKING:
    import pandas as pd

    from outcomes_analysis.evidence.playbook import EvidenceCard
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.places import AreaProfile, JoinedPlace, Trajectory
    from outcomes_analysis.places.comparison import Statistic
    from outcomes_analysis.sources.local import LocalAddition

FEWEST_YEARS = 4  # with a figure, for a course over the years to be drawn


def place_profile(
    name: str,
    *,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    statistic: Statistic = "median",
    districts: Sequence[str] = (),
    children: Sequence[float] = (),
    local: LocalAddition | None = None,
) -> AreaProfile | JoinedPlace:
    """Profile of an authority or district with the domains of the default index, or of a place made of districts.

    Parameters
    ----------
    name : str
        An authority, a district or a named place in any spelling; with ``districts`` what the place is called.
    period : int
    neighbours : str
        Set to compare an authority or district with.
    statistic : {"median", "mean"}
        Of the neighbours.
    districts : sequence of str
        Names or codes of the districts that the place is made of.
    children : sequence of float
        Children in each of them, for estimates.
    local : LocalAddition, optional
        Figures of one's own, to stand beside the core's.

    Raises
    ------
    AreaError
        If there is no such place, or numbers of children are given for one that is not made of districts.
    """
    from outcomes_analysis.areas.register import resolve_place
    from outcomes_analysis.places import area_profile, districts_of, neighbour_set, place_of_districts

    if districts or districts_of(name):
        return place_of_districts(name, districts, weights=children or None, period=period)
    code = resolve_place(name)  # a slip of the pen is said before anything is computed
    if children:
        message = f"Numbers of children are for places made of districts, and {name} is none: leave them out."
        raise AreaError(message)
    neighbour_set(neighbours, observations=_told(), period=period)  # likewise
    return area_profile(
        code,
        observations=local.beside(_told()) if local else _told(),
        framework=local.framework if local else None,
        period=period,
        index=default_uncertainty(period),
        parts=default_index(period),
        neighbours=neighbours,
        statistic=statistic,
    )


@cache
def _told() -> pd.DataFrame:
    """The default data without what would give a suppressed figure of a district away."""
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.places.holding_back import district_figures_told
    from outcomes_analysis.sources.release import load_observations

    return district_figures_told(load_observations(), framework=load_framework())


def place_figures(profile: AreaProfile | JoinedPlace) -> dict[str, Figure]:
    """Figures of a place: domains, measures and years beside England, its twin, what scores add up from, targets.

    A place with too few children to be judged has none: its marks would be read as judgements. A district has no
    score, and none either. A place made of districts has these side by side.
    """
    from outcomes_analysis.figures.charts.cohorts import early_years
    from outcomes_analysis.figures.charts.districts import district_rows
    from outcomes_analysis.figures.charts.estimates import equity_gaps
    from outcomes_analysis.figures.charts.fans import trajectory_fan
    from outcomes_analysis.figures.charts.profiles import domain_profile, score_decomposition
    from outcomes_analysis.index import explain
    from outcomes_analysis.places import JoinedPlace

    if isinstance(profile, JoinedPlace):
        return {"districts": district_rows(profile)} if profile.table["lowest"].notna().any() else {}
    index = default_index(profile.period)
    if profile.domains.empty or not profile.domains["ranked"].any():
        return {}
    fans = {
        f"target-{target.indicator.id}": trajectory_fan(target, profile.area_code)
        for target in default_targets()
        if target.table.loc[target.table["area_code"].eq(profile.area_code), "estimate"].notna().any()
    }
    made = {"domain-profile": domain_profile(index, profile.area_code)}
    if profile.equity.domains["status"].eq("computed").any():
        made["equity-gaps"] = equity_gaps(profile.equity)
    if profile.pathway is not None and len(profile.pathway.table) and profile.pathway.table["told"].any():
        made["early-years"] = early_years(profile.pathway)
    for row in profile.domains.to_dict("records"):
        if row["status"] == "computed" and not row["experimental"]:
            node = str(row["node_id"])
            told = explain(index, profile.area_code, node=node)
            made[f"score-decomposition-{node}"] = score_decomposition(
                told, name=profile.name, data_as_at=profile.manifest.data_as_at
            )
    return made | _measured(profile) | fans


def _measured(profile: AreaProfile) -> dict[str, Figure]:
    """Measures of each domain on the spread of all authorities, and the course of its first over the years."""
    from outcomes_analysis.figures.charts.courses import trend
    from outcomes_analysis.figures.charts.spines import spine_chart

    made = {}
    known = profile.table[profile.table["value"].notna() & profile.table["england"].notna()]
    years = profile.series[profile.series["value"].notna()].groupby("indicator_id").size()
    for domain in (node for node in profile.domains["node_id"] if known["domain"].eq(node).any()):
        made[f"spine-{domain}"] = spine_chart(profile, domain=domain, observations=_authorities())
        told = known[known["domain"].eq(domain) & known["contested"].eq("") & known["kind"].eq("outcome")]
        long = [i for i in told["indicator_id"] if years.get(i, 0) >= FEWEST_YEARS]
        made |= {f"trend-{i}": trend(profile, i) for i in long[:1]}
    return made


@cache
def _authorities() -> pd.DataFrame:
    """Figures of all children in upper-tier authorities, which spreads are made of."""
    from outcomes_analysis.areas.register import upper_tier
    from outcomes_analysis.sources.release import load_observations

    told = load_observations()
    return told[told["group_type"].eq("all") & told["area_code"].isin(upper_tier().index) & told["value"].notna()]


def place_cards(profile: AreaProfile | JoinedPlace, figures: Mapping[str, Figure]) -> tuple[EvidenceCard, ...]:
    """Evidence cards of a place: where it stands on each domain it has a score for.

    A place made of districts or with too few children to be judged has none, nor has a district.

    Parameters
    ----------
    profile : AreaProfile or JoinedPlace
    figures : mapping of str to Figure
        Of the place (:func:`place_figures`): what a score adds up from stands on the card, else all domains.
    """
    from outcomes_analysis.evidence.playbook import place_card
    from outcomes_analysis.evidence.playbook.strength import YEARS_BEFORE
    from outcomes_analysis.places import JoinedPlace

    if isinstance(profile, JoinedPlace) or profile.domains.empty:
        return ()
    made = (
        place_card(
            profile,
            name,
            uncertainty=default_uncertainty(profile.period),
            earlier=default_index(profile.period - YEARS_BEFORE),
            figure=figures.get(f"score-decomposition-{name}", figures.get("domain-profile")),
        )
        for name in profile.domains["node_id"]
    )
    return tuple(card for card in made if card is not None)


@cache
def default_targets(own: tuple[tuple[str, float], ...] = ()) -> tuple[Trajectory, ...]:
    """Every national target on the default data, forecast once a process, with the record of past forecasts.

    Parameters
    ----------
    own : tuple of (str, float)
        Local targets of the first of them, by code of the authority.
    """
    from outcomes_analysis.places import trajectory
    from outcomes_analysis.places.goals import national_targets

    goals = national_targets()
    return tuple(
        trajectory(goal.indicator_id, target=goal.target, year=goal.year, own_targets=dict(own) if first else None)
        for goal, first in zip(goals, [True, *[False] * len(goals)], strict=False)
    )


def own_target(path: Path, profile: AreaProfile | JoinedPlace) -> float:
    """Read a place's own target of the first national target's indicator from a file of local ones.

    Parameters
    ----------
    path : Path
        As :func:`outcomes_analysis.sources.local_targets.load_targets` takes it. Lines of other places are checked, and
        nothing of them is given back.
    profile : AreaProfile or JoinedPlace

    Raises
    ------
    SourceError
        If the file is not valid, or has no line for the place.
    """
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.places import JoinedPlace
    from outcomes_analysis.places.goals import national_targets
    from outcomes_analysis.sources.local_targets import load_targets

    goal = national_targets()[0]
    goals = load_targets(path, indicator=load_framework().indicator(goal.indicator_id))
    if isinstance(profile, JoinedPlace) or profile.area_code not in goals:
        message = (
            f"{path.name} has no target for {profile.name}; {plural(len(goals), 'target', 'targets')} of others "
            "stay at home. Add a line for it (an upper-tier authority), or leave --own out."
        )
        raise SourceError(message)
    return goals[profile.area_code]
