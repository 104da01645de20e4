"""The gallery: one approved drawing of every kind of figure, from the default data, and its index in the README.

``make gallery`` draws them all again; ``python -m outcomes_analysis.pipeline.gallery ID ...`` some. The same data give
the same bytes, so that whatever a change of code does to a figure is seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.pipeline import results
from outcomes_analysis.project import project
from outcomes_analysis.provenance import write_atomic
from outcomes_analysis.wording import how_many

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.framework.model import Framework

PLACE, REGION = "Essex", "East of England"
START, END = "<!-- gallery: made by `make gallery` -->", "<!-- end of gallery -->"
NETWORK = (
    "attainment8", "ks2_rwm", "gld_pct", "persistent_absence", "neet_nk_16_17", "y6_obesity", "dental_decay_5",
    "lbw_term", "cla_rate", "cpp_rate", "inj_0_14", "mh_admissions_0_17", "susp_rate",
)  # fmt: skip
ASIDE = ("persistent_absence", "ks2_rwm", "gld_pct", "y6_obesity", "cla_rate", "inj_0_14", "mh_admissions_0_17")


@dataclass(frozen=True)
class Shown:
    """One figure of the gallery.

    Attributes
    ----------
    id : str
        Name of its file.
    what : str
        What it shows, in a few words.
    made : str
        The call that makes it.
    draw : callable
        Makes it from the default data.
    """

    id: str
    what: str
    made: str
    draw: Callable[[], Figure]


def write_gallery(ids: Sequence[str] = (), *, folder: Path | None = None) -> list[Path]:
    """Draw figures of the gallery as SVG.

    Parameters
    ----------
    ids : sequence of str
        Which; all by default.
    folder : Path, optional
        Where to; ``figures/gallery/`` by default.

    Raises
    ------
    FigureError
        If an id is not in the gallery.
    """
    known = {shown.id: shown for shown in GALLERY}
    unknown = [name for name in ids if name not in known]
    if unknown:
        message = f"{len(unknown)} are not in the gallery: {several(unknown)}. It has {several(known, limit=99)}."
        raise FigureError(message)
    target = folder or project().path("figures", "gallery")
    return [
        write_atomic(Path(target) / f"{name}.svg", known[name].draw().svg(prefix=name) + "\n") for name in ids or known
    ]


def index_text() -> str:
    """The index of the gallery as the README has it."""
    lines = ["| figure | what it shows | made by |", "|---|---|---|"]
    lines += [f"| [{s.id}](figures/gallery/{s.id}.svg) | {s.what} | `{s.made}` |" for s in GALLERY]
    return "\n".join([START, "", *lines, "", END])


def write_index(path: Path | None = None) -> Path:
    """Bring the index in the README up to date."""
    path = path or project().path("README.md")
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return write_atomic(path, f"{before}{index_text()}{after}")


def _framework() -> Framework:
    from outcomes_analysis.framework import load_framework

    return load_framework()


@cache
def _observations() -> pd.DataFrame:
    from outcomes_analysis.sources.release import load_observations

    return load_observations()


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


@cache
def _profile() -> Any:
    from outcomes_analysis.places import area_profile

    return area_profile(PLACE, index=results.default_uncertainty(), parts=results.default_index())


@cache
def _region() -> tuple[str, ...]:
    from outcomes_analysis.areas.register import upper_tier

    areas = upper_tier(ranked_only=True)
    return tuple(areas.index[areas["region_name"].eq(REGION)])


@cache
def _clusters() -> Any:
    from outcomes_analysis.relations import RelationSpec, spatial_clusters

    question = RelationSpec(outcome="attainment8", predictors=("persistent_absence",), years=(results.RELATION_YEAR,))
    return spatial_clusters(_observations(), spec=question)


def _map() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.choropleth(results.default_uncertainty(), node="learning")


def _pair() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.domain_pair(results.default_uncertainty(), results.default_comparison(), node="engaged")


def _hexes() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.hex_map(results.default_uncertainty(), node="safe", classes="against")


def _parts() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.parts(results.default_uncertainty(), node="happy")


def _domains() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    unc = results.default_uncertainty()
    return maps.small_multiples(dict.fromkeys(results.default_index().domains, unc))


def _cross() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.bivariate(results.default_uncertainty(), nodes=("learning", "engaged"))


def _sureness() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.sureness(results.default_uncertainty(), node="learning")


def _cluster_map() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.cluster_map(_clusters())


def _districts() -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.measure_map(_observations(), "y6_obesity", tier="lower")


def _ranks() -> Figure:
    from outcomes_analysis.figures.charts import ranks

    return ranks.rank_intervals(results.default_uncertainty(), node="learning")


def _table() -> Figure:
    from outcomes_analysis.figures.charts import tables

    return tables.domain_heat_table(results.default_index())


def _domain_profile() -> Figure:
    from outcomes_analysis.figures.charts import profiles

    return profiles.domain_profile(results.default_index(), PLACE)


def _decomposition() -> Figure:
    from outcomes_analysis.figures.charts import profiles
    from outcomes_analysis.index import explain

    told = explain(results.default_index(), PLACE, node="learning")
    return profiles.score_decomposition(told, name=PLACE, data_as_at=_profile().manifest.data_as_at)


def _gaps() -> Figure:
    from outcomes_analysis.figures.charts import estimates

    return estimates.equity_gaps(_profile().equity)


def _spine() -> Figure:
    from outcomes_analysis.figures.charts import spines

    return spines.spine_chart(_profile(), domain="engaged", observations=_observations())


def _rug() -> Figure:
    from outcomes_analysis.figures.charts import rugs

    unc = results.default_uncertainty()
    nodes = [i.id for i in _framework().below("engaged") if i.id in results.default_index().nodes]
    return rugs.tartan_rug(unc, areas=_region(), nodes=nodes)


def _trend() -> Figure:
    from outcomes_analysis.figures.charts import courses

    return courses.trend(_profile(), "gld_pct")


def _early() -> Figure:
    from outcomes_analysis.figures.charts import cohorts

    return cohorts.early_years(_profile().pathway)


def _slopes() -> Figure:
    from outcomes_analysis.figures.charts import courses
    from outcomes_analysis.index import index_change

    years = (results.PERIOD - 2, results.PERIOD)
    change = index_change(*(results.default_index(year) for year in years))
    earlier, later = (results.default_uncertainty(year) for year in years)
    return courses.slope_chart(earlier, later, node="learning", areas=_region(), change=change)


def _fan() -> Figure:
    from outcomes_analysis.figures.charts import fans
    from outcomes_analysis.places import trajectory

    result = trajectory("gld_pct", target=75.0, year=2028, observations=_observations(), score=False)
    return fans.trajectory_fan(result, PLACE, observations=_observations())


def _funnel() -> Figure:
    from outcomes_analysis.areas.register import upper_tier
    from outcomes_analysis.figures.charts import funnels
    from outcomes_analysis.places.lines import ENGLAND
    from outcomes_analysis.sources.release import data_as_at, source_line

    measure = _framework().indicator("inj_0_14")
    rows = _observations()
    rows = rows[rows["indicator_id"].eq(measure.id) & rows["group"].eq("all")]
    rows = rows[rows["period_end"].eq(rows["period_end"].max())].set_index("area_code")
    table = upper_tier(ranked_only=True)[["name"]].join(rows[["value", "denominator"]]).reset_index()
    used = sorted(set(rows["source_id"]))
    return funnels.funnel_plot(
        table.rename(columns={"name": "area_name", "index": "area_code"}),
        name=measure.name,
        unit=measure.unit,
        target=float(rows.at[ENGLAND, "value"]),
        source=source_line(used),
        data_as_at=data_as_at(used),
        period=str(rows["period"].iloc[0]),
        form="rate",
        per=10_000,
        counted="children aged 0 to 14",
    )


def _card() -> Figure:
    from outcomes_analysis.figures.charts import fitness_cards

    return fitness_cards.fitness_card(results.default_fitness(), "mh_admissions_0_17")


def _sobol() -> Figure:
    from outcomes_analysis.figures.charts import estimates

    return estimates.sobol_bars(results.default_sensitivity(), node="learning", label="Learning")


def _scatter() -> Figure:
    from outcomes_analysis.figures.charts import relations

    return relations.scatter(results.default_relation(), observations=_observations())


def _forest() -> Figure:
    from outcomes_analysis.figures.charts import estimates
    from outcomes_analysis.relations import RelationSpec, correlations
    from outcomes_analysis.relations.sentences import short_name
    from outcomes_analysis.sources.release import source_line

    framework = _framework()
    question = RelationSpec(outcome="attainment8", predictors=ASIDE, years=(results.RELATION_YEAR,))
    answer = correlations(_observations(), spec=question)
    rows = answer.table[answer.table["analysis"].eq("spearman_neighbours") & answer.table["sample"].eq("all")]
    rows = rows[rows["adjusted_for"].isin(["", "child_poverty_ahc"]) & rows["status"].eq("computed")]
    names = [framework.indicator(i) for i in rows["predictor"]]
    groups = {"": "As they are", "child_poverty_ahc": "Between places with similar child poverty after housing costs"}
    table = rows.assign(
        label=[_capital(f"{short_name(i)}{' (contested)' if i.contested else ''}") for i in names],
        group=rows["adjusted_for"].map(groups),
    ).sort_values("adjusted_for", kind="stable")
    clear = ((table["lower"] > 0) | (table["upper"] < 0)).groupby(table["label"]).all()
    return estimates.coefficient_forest(
        table[["label", "group", "estimate", "lower", "upper", "level"]],
        what="rank correlation with Attainment 8",
        title=f"{how_many(int(clear.sum()))} of {len(clear)} measures clearly go with Attainment 8 across authorities, "
        "child poverty allowed for or not",
        unit="correlation, from \u22121 to 1",
        source=source_line(answer.manifest.sources),
        data_as_at=answer.manifest.data_as_at,
        notes=(
            "Intervals allow for the likeness of neighbours, which makes authorities worth fewer separate ones.",
            "These are associations between areas, not between children.",
        ),
    )


def _heatmap() -> Figure:
    from outcomes_analysis.figures.charts import rugs
    from outcomes_analysis.sources.release import source_line

    joint = results.default_joint()
    pairs = joint.correlations()
    labels = {d.id: f"{d.label} (experimental)" if d.experimental else d.label for d in _framework().domains}
    square = pd.DataFrame(1.0, index=list(labels), columns=list(labels))
    tables = {end: square.copy() for end in ("estimate", "lower", "upper")}
    for row in pairs.to_dict("records"):
        for end, table in tables.items():
            table.loc[row["domain"], row["other"]] = table.loc[row["other"], row["domain"]] = row[end]
    return rugs.correlation_heatmap(
        tables["estimate"],
        lower=tables["lower"],
        upper=tables["upper"],
        level=float(pairs["level"].iloc[0]),
        labels=labels,
        what="Correlation of domains, known noise taken out",
        source=source_line(joint.manifest.sources),
        data_as_at=joint.manifest.data_as_at,
        areas=int(joint.table["n"].iloc[0]),
        notes=(
            "Happy is experimental: its figures do not measure one thing.",
            "Intervals say how sure the figures are about these authorities, not what others would show.",
        ),
    )


def _network() -> Figure:
    from outcomes_analysis.figures.charts import networks
    from outcomes_analysis.relations import RelationSpec, outcome_network

    question = RelationSpec(
        outcome=NETWORK[0], predictors=NETWORK[1:], years=(results.RELATION_YEAR,), confounders=("child_poverty_ahc",)
    )
    return networks.network(outcome_network(_observations(), spec=question))


def _curve() -> Figure:
    from outcomes_analysis.figures.charts import multiverses
    from outcomes_analysis.relations import MultiverseSpec, multiverse
    from outcomes_analysis.relations.spec_curve.choices import Choice

    year = results.RELATION_YEAR
    question = MultiverseSpec(
        outcomes=(Choice("attainment8", "the broadest measure at 16"),),
        predictors=(
            Choice("persistent_absence", "a tenth of sessions missed"),
            Choice("absence_overall", "all sessions missed"),
        ),
        years=(Choice(year, "the latest with both"), Choice(year - 1, "the year before")),
        adjustments=(Choice("", "the plain association"), Choice("child_poverty_ahc", "poverty goes with both")),
    )
    return multiverses.specification_curve(multiverse(_observations(), spec=question))


def _priors() -> Figure:
    from outcomes_analysis.figures.charts import priors

    kinds = ("partial", "held", "region", "spread")  # with the levels of domains it would not fit a page
    return priors.prior_posterior(results.default_joint(), kinds=kinds)


GALLERY: tuple[Shown, ...] = (
    Shown("domain-map-learning", "A domain on the map, in fifths, London enlarged", "maps.choropleth", _map),
    Shown("domain-hex-safe", "The same with every authority the same size, against England", "maps.hex_map", _hexes),
    Shown("domain-pair-engaged", "A domain, and it beside places of similar poverty", "maps.domain_pair", _pair),
    Shown("domain-maps", "Every domain against England, side by side", "maps.small_multiples", _domains),
    Shown("domain-parts-happy", "The parts of an experimental domain, each on its own", "maps.parts", _parts),
    Shown("domain-cross-learning-engaged", "Two domains at once, in nine classes", "maps.bivariate", _cross),
    Shown("domain-sureness-learning", "The chance of the lowest fifth: how sure a map is", "maps.sureness", _sureness),
    Shown("cluster-map", "Where like stands among like", "maps.cluster_map", _cluster_map),
    Shown("district-map", "One measure in districts, in its own unit", "maps.measure_map", _districts),
    Shown("rank-intervals-learning", "Ranks of all authorities with their intervals", "ranks.rank_intervals", _ranks),
    Shown("domain-table", "Every authority's scores on every domain", "tables.domain_heat_table", _table),
    Shown("domain-profile", "One place beside England, domain by domain", "profiles.domain_profile", _domain_profile),
    Shown("score-decomposition", "What a score adds up from", "profiles.score_decomposition", _decomposition),
    Shown("equity-gaps", "Gaps between groups of children beside England's", "estimates.equity_gaps", _gaps),
    Shown("spine", "One place's measures on the spread of all authorities", "spines.spine_chart", _spine),
    Shown("tartan-rug", "Places by measures, against England", "rugs.tartan_rug", _rug),
    Shown("trend", "One measure over the years, with its break", "courses.trend", _trend),
    Shown("early-years", "Cohorts of one place from birth to age 11", "cohorts.early_years", _early),
    Shown("slopes-learning", "Places between two dates, with verdicts on change", "courses.slope_chart", _slopes),
    Shown("trajectory-fan", "Where a place may stand in a target year, by scenario", "fans.trajectory_fan", _fan),
    Shown("funnel", "Areas by size, with limits of chance and of usual differences", "funnels.funnel_plot", _funnel),
    Shown("fitness-card", "What one measure is fit for", "fitness_cards.fitness_card", _card),
    Shown("sobol-bars", "Which choice of method moves ranks most", "estimates.sobol_bars", _sobol),
    Shown("admissions-attainment", "Two figures across authorities, with both lines", "relations.scatter", _scatter),
    Shown("forest", "Correlations, as they are and poverty alike", "estimates.coefficient_forest", _forest),
    Shown("correlation-heatmap", "How the domains go together", "rugs.correlation_heatmap", _heatmap),
    Shown("outcome-network", "Links that hold once all other figures are allowed for", "networks.network", _network),
    Shown("specification-curve", "One question, asked in every way", "multiverses.specification_curve", _curve),
    Shown("prior-posterior", "What a model assumed and what the figures made of it", "priors.prior_posterior", _priors),
)  # fmt: skip


if __name__ == "__main__":
    for written in (*write_gallery(sys.argv[1:]), write_index()):
        print(written)  # noqa: T201
