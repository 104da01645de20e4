"""What the stages make: results of the default data, each made once a process, and the files of each stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.project import Project
from outcomes_analysis.provenance import write_atomic

if TYPE_CHECKING:
    from concurrent.futures import Future

    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.index import (
        AuditReport,
        ComparisonResult,
        IndexResult,
        SensitivityResult,
        UncertaintyResult,
    )
    from outcomes_analysis.index.judging.purpose import FitnessResult
    from outcomes_analysis.relations import JointResult, RelationResult
    from outcomes_analysis.relations.joint.result import Method

_METHOD: ContextVar[Method] = ContextVar("method", default="laplace")  # of the joint model
FIRST_INDEX_YEAR = 2019
PERIOD = 2025
SENSITIVITY_RUNS = 4_096  # bounds of the shares are then about four points either way
RELATION_YEAR = 2024  # newest year with figures on admissions
#: Measures of child poverty that scores are set beside; the two tell different stories, so both are always shown.
POVERTY = {
    "child_poverty_bhc": "child poverty before housing costs",
    "child_poverty_ahc": "child poverty after housing costs",
}
MAPPED_POVERTY = "child_poverty_ahc"  # of the maps: rents count among what a family can spend


def _observations() -> pd.DataFrame:
    from outcomes_analysis.sources.release import load_observations

    return load_observations()


@cache
def default_index(period: int = PERIOD) -> IndexResult:
    """Index of the default data and framework for one year, made once a process; ranks not borne are withheld."""
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.index import build_index, build_matrix

    return build_index(build_matrix(_observations(), framework=load_framework(), period=period))


@cache
def default_uncertainty(period: int = PERIOD) -> UncertaintyResult:
    """Ranks of the default index with their intervals, made once a process."""
    from outcomes_analysis.index import uncertainty

    return uncertainty(default_index(period))


@cache
def default_comparison(period: int = PERIOD, measure: str = MAPPED_POVERTY) -> ComparisonResult:
    """Domains of the default index beside places of similar child poverty, made once a process."""
    from outcomes_analysis.index import compare_given

    return compare_given(default_index(period), _poverty(period)[measure], label=POVERTY[measure])


def default_comparisons(period: int = PERIOD) -> tuple[ComparisonResult, ...]:
    """The same by every measure of child poverty."""
    return tuple(default_comparison(period, measure) for measure in POVERTY)


@cache
def _poverty(period: int) -> pd.DataFrame:
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.index import build_matrix

    matrix = build_matrix(_observations(), framework=load_framework(), period=period, include=list(POVERTY))
    return matrix.values[list(POVERTY)]


@cache
def default_audit(period: int = PERIOD) -> AuditReport:
    """Audit of the default index, made once a process."""
    from outcomes_analysis.index import audit

    return audit(default_index(period), covariate=_poverty(period).rename(columns=POVERTY))


@cache
def default_sensitivity(period: int = PERIOD) -> SensitivityResult:
    """Which choice of method moves the ranks of the default index most, made once a process; ranked domains only."""
    from outcomes_analysis.index import sensitivity

    index = default_index(period)
    ranked = index.table.loc[(index.table["kind"] == "domain") & index.table["ranked"], "node_id"]
    return sensitivity(index, nodes=list(ranked.unique()), runs=SENSITIVITY_RUNS)


@cache
def default_fitness() -> FitnessResult:
    """What each indicator of the default data is fit for, made once a process."""
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.index import fitness

    return fitness(_observations(), framework=load_framework())


@cache
def default_relation() -> RelationResult:
    """The association shown by default, made once a process."""
    from outcomes_analysis.relations import relate

    return relate("mh_admissions_0_17", "attainment8", period=RELATION_YEAR)


def default_joint() -> JointResult:
    """How the domains go together, made once a process: by the quick way, or sampled within :func:`sampled`."""
    return _joint(_METHOD.get())


@contextmanager
def sampled() -> Iterator[None]:
    """Have the joint model sampled in what follows (minutes the first time; then kept on disk)."""
    token = _METHOD.set("nuts")
    try:
        yield
    finally:
        _METHOD.reset(token)


@cache
def _joint(method: Method) -> JointResult:
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.relations import fit_joint_model

    return fit_joint_model(_observations(), framework=load_framework(), periods=[RELATION_YEAR], method=method)


def _write_table(target: Project, name: str, frame: pd.DataFrame) -> Path:
    from outcomes_analysis.figures.exporting import safe_csv

    return write_atomic(target.result("data", "processed", f"{name}.csv"), safe_csv(frame))


def _write_words(target: Project, name: str, result: IndexResult | RelationResult | JointResult) -> Path:
    content = {"text": result.text, "manifest": result.manifest.to_dict()}
    return write_atomic(
        target.result("data", "processed", f"{name}.json"), json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    )


def indices(target: Project, period: int) -> list[Path]:
    """Score every domain, with intervals and ranks; the years before; beside similar poverty."""
    from outcomes_analysis.index.reading.going_with import strength_table

    index, unc = default_index(period), default_uncertainty(period)
    years = [default_index(year).table.query("kind == 'domain'") for year in range(FIRST_INDEX_YEAR, PERIOD + 1)]
    return [
        _write_table(target, f"scores-{period}", index.table),
        _write_table(target, f"domains-{period}", unc.table),
        _write_table(target, f"domains-{period}-other-methods", unc.method),
        _write_table(target, f"domains-{period}-figures-and-methods", unc.both),
        _write_table(
            target,
            f"domains-{period}-given-child-poverty",
            pd.concat([one.table for one in default_comparisons(period)], ignore_index=True),
        ),
        _write_table(target, f"domains-{period}-and-child-poverty", strength_table(default_comparisons(period))),
        _write_table(target, "domains-by-year", pd.concat(years, ignore_index=True)),
        _write_table(target, f"sensitivity-{period}", default_sensitivity(period).table.assign(interval="method")),
        _write_words(target, f"scores-{period}", index),
    ]


def catalogue(target: Project, _: int) -> list[Path]:
    """List the indicators."""
    from outcomes_analysis.evidence.catalogue import catalogue_html
    from outcomes_analysis.framework import catalogue_csv, load_framework

    framework = load_framework()
    return [
        write_atomic(target.result("data", "processed", "catalogue.csv"), catalogue_csv(framework)),
        write_atomic(target.result("figures", "catalogue.html"), catalogue_html(framework)),
    ]


def audits(target: Project, period: int) -> list[Path]:
    """Audit the index, and say what each indicator is fit for."""
    from outcomes_analysis.evidence.audit import audit_html
    from outcomes_analysis.evidence.cards import cards_html
    from outcomes_analysis.framework import load_framework

    report, cards = default_audit(period), default_fitness()
    return [
        _write_table(target, f"audit-{period}", report.table),
        _write_table(target, "fit-for-purpose", cards.table),
        write_atomic(target.result("figures", "audit.html"), audit_html(report)),
        write_atomic(target.result("figures", "fit-for-purpose.html"), cards_html(cards, framework=load_framework())),
    ]


def association(target: Project, _: int) -> list[Path]:
    """Relate admissions for mental health and attainment, and the domains with one another."""
    relation, joint = default_relation(), default_joint()
    behind = relation.diagnostics["parts"]
    beside = {
        "ways": behind["multiverse"].table,
        "ways-together": behind["multiverse"].joint,
        "links": behind["network"].table,
        "clusters": behind["clusters"].table,
    }
    return [
        _write_table(target, f"domains-{RELATION_YEAR}-together", joint.correlations()),
        _write_table(target, f"domains-{RELATION_YEAR}-links", joint.links()),
        _write_words(target, f"domains-{RELATION_YEAR}-together", joint),
        _write_table(target, "admissions-attainment", relation.table),
        _write_words(target, "admissions-attainment", relation),
        *(_write_table(target, f"admissions-attainment-{kind}", table) for kind, table in beside.items()),
    ]


def draw(target: Project, period: int) -> list[Path]:
    """Draw the figures."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from outcomes_analysis.figures.drawing.composing import png
    from outcomes_analysis.figures.exporting import PPI, export

    folder = target.result("figures")
    files: list[Path] = []
    pixels: dict[str, Future[bytes]] = {}
    # pixels need the drawing alone and a third of the time: a second process makes them while the next is drawn
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for name, figure in figures_of_a_run(period).items():
            pixels[name] = pool.submit(png, figure.drawing, ppi=PPI)
            files += export(figure, name, folder=folder, forms=["svg"]).values()
        files += [write_atomic(folder / f"{name}.png", made.result()) for name, made in pixels.items()]
    return files


@cache
def default_scatter() -> Figure:
    """The scatter of the association of a run, drawn once for its files, its card and its page."""
    from outcomes_analysis.figures.charts.relations import scatter

    return scatter(default_relation(), observations=_observations())


@cache
def default_hexagons(period: int = PERIOD) -> dict[str, Figure]:
    """A hexagon map a domain, drawn once for its files and its card."""
    from outcomes_analysis.figures.mapping.maps import hex_map

    uncertainty = default_uncertainty(period)
    return {domain: hex_map(uncertainty, node=domain) for domain in uncertainty.index.domains}


@cache
def figures_of_a_run(period: int = PERIOD) -> dict[str, Figure]:
    """Every figure of a run by its id in ``figures/figures.yml``, made once a process."""
    from outcomes_analysis.figures.charts import ranks, tables
    from outcomes_analysis.figures.mapping import maps, multiples

    index, unc, given = default_index(period), default_uncertainty(period), default_comparison(period)
    made: dict[str, Figure] = {}
    for domain in index.domains:
        made[f"domain-map-{domain}"] = maps.choropleth(unc, node=domain)
        made[f"domain-pair-{domain}"] = maps.domain_pair(unc, given, node=domain)
        made[f"domain-hex-{domain}"] = default_hexagons(period)[domain]
        if index.nodes[domain].experimental:
            made[f"domain-parts-{domain}"] = multiples.parts(unc, node=domain)
        else:
            made[f"rank-intervals-{domain}"] = ranks.rank_intervals(unc, node=domain)
    made["domain-table"] = tables.domain_heat_table(index)
    made["admissions-attainment"] = default_scatter()
    return made


def report(target: Project, period: int) -> list[Path]:
    """Write the report, and the page of the association beside it."""
    from outcomes_analysis.evidence.association import PAGE, association_html
    from outcomes_analysis.evidence.report import report_html
    from outcomes_analysis.framework import load_framework

    html = report_html(
        default_index(period),
        default_uncertainty(period),
        default_comparisons(period),
        default_relation(),
        audit=default_audit(period),
        sensitivity=default_sensitivity(period),
        fitness=default_fitness(),
        mapped=POVERTY[MAPPED_POVERTY],
        joint=default_joint(),
        figures=figures_of_a_run(period),
    )
    answer = association_html(
        default_relation(),
        framework=load_framework(),
        figures=_beside_the_answer(period),
    )
    return [
        write_atomic(target.result("figures", "report.html"), html),
        write_atomic(target.result("figures", PAGE), answer),
    ]


def _beside_the_answer(period: int) -> dict[str, Figure]:
    """Figures of the page of the association, by the heading that each stands under."""
    from outcomes_analysis.figures.charts import multiverses, networks
    from outcomes_analysis.figures.mapping import clusters
    from outcomes_analysis.relations.whole.parts import HEADINGS

    relation = default_relation()
    behind = relation.diagnostics["parts"]
    held = str(relation.spec.confounders[0])
    return {
        "In short": figures_of_a_run(period)["admissions-attainment"],
        HEADINGS["map"]: clusters.cluster_map(behind["clusters"], kind="left over", adjusted_for=held),
        HEADINGS["others"]: networks.network(behind["network"]),
        HEADINGS["ways"]: multiverses.specification_curve(behind["multiverse"]),
    }


def forget() -> None:
    """Let go of everything made in this process."""
    kept = (
        default_index,
        default_uncertainty,
        default_comparison,
        default_relation,
        _joint,
        default_audit,
        default_fitness,
        default_sensitivity,
        default_scatter,
        default_hexagons,
        figures_of_a_run,
        _poverty,
    )
    for made in kept:
        made.cache_clear()
