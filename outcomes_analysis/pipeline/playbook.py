"""Evidence for the Playbook on the default data: the cards of a run, a card of any pair, hypotheses, a portfolio."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from outcomes_analysis.pipeline.results import (
    RELATION_YEAR,
    default_audit,
    default_comparisons,
    default_hexagons,
    default_index,
    default_relation,
    default_scatter,
    default_uncertainty,
)
from outcomes_analysis.project import Project, project
from outcomes_analysis.provenance import sha256_of, write_atomic

if TYPE_CHECKING:
    from outcomes_analysis.evidence.playbook import EvidenceCard
    from outcomes_analysis.evidence.playbook.hypotheses import HypothesesResult
    from outcomes_analysis.evidence.playbook.ledger import Ledger
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.places.portfolios import PortfolioResult
    from outcomes_analysis.relations import RelationResult
    from outcomes_analysis.sources.vetting import FileReport

Progress = Callable[[str], None]
TARGET_INDICATOR, TARGET, TARGET_YEAR = "gld_pct", 75.0, 2028  # Giving every child the best start in life, July 2025


def _quiet(_: str) -> None:
    return None


def ledger_hash(target: Project) -> str:
    """Hash of the ledger of predictions in the user's folder; empty where there is none."""
    path = target.result("predictions", "ledger.jsonl")
    return sha256_of(path) if path.is_file() else ""


@cache
def default_cards(period: int) -> tuple[EvidenceCard, ...]:
    """Cards of a run: admissions and attainment, each domain, the national target; made once a process."""
    from outcomes_analysis.evidence.playbook import domain_card
    from outcomes_analysis.evidence.playbook.ledger import read_ledger
    from outcomes_analysis.evidence.playbook.strength import YEARS_BEFORE

    ledger = read_ledger()
    relation, uncertainty = default_relation(), default_uncertainty(period)
    first = _card_of(relation, name="admissions-attainment", ledger=ledger, figure=default_scatter())
    hexagons = default_hexagons(period)
    domains = [
        domain_card(
            name,
            uncertainty,
            default_comparisons(period),
            audit=default_audit(period),
            earlier=default_index(period - YEARS_BEFORE),
            figure=hexagons[name],
        )
        for name in uncertainty.index.domains
    ]
    return (first, *domains, _target_card(ledger))


def _card_of(
    relation: RelationResult,
    *,
    name: str,
    ledger: Ledger,
    figure: Figure | None = None,
    hypotheses: tuple[str, ...] = (),
) -> EvidenceCard:
    from outcomes_analysis.evidence.playbook import relation_card, ways_of
    from outcomes_analysis.evidence.playbook.scorekeeping import record_of
    from outcomes_analysis.relations import multiverse

    return relation_card(
        relation,
        name=name,
        ways=multiverse(spec=ways_of(relation.spec)),
        record=record_of(ledger, [relation.spec.predictor, relation.spec.outcome]),
        figure=figure,
        hypotheses=hypotheses,
    )


def _target_card(ledger: Ledger) -> EvidenceCard:
    from outcomes_analysis.evidence.playbook import trajectory_card
    from outcomes_analysis.evidence.playbook.scorekeeping import record_of
    from outcomes_analysis.figures.charts.fans import trajectory_fan
    from outcomes_analysis.places import trajectory

    found = trajectory(TARGET_INDICATOR, target=TARGET, year=TARGET_YEAR)
    record = record_of(ledger, [TARGET_INDICATOR])
    return trajectory_card(found, name="ready-for-school", record=record, figure=trajectory_fan(found, "England"))


def write_cards(target: Project, period: int) -> list[Path]:
    """Write the cards of a run: a page and JSON each, and the page that lists them."""
    from outcomes_analysis.evidence.playbook import cards_html

    made = default_cards(period)
    files = [path for card in made for path in _written(card, target)]
    return [write_atomic(target.result("figures", "cards.html"), cards_html(made)), *files]


def _written(card: EvidenceCard, target: Project) -> list[Path]:
    from outcomes_analysis.evidence.playbook import card_html
    from outcomes_analysis.evidence.playbook.card_pages import card_file

    page = target.result("figures", card_file(card))
    return [
        write_atomic(page, card_html(card)),
        write_atomic(target.result("data", "processed", f"card-{card.name}.json"), card.to_json()),
    ]


def make_card(
    predictor: str,
    outcome: str,
    *,
    period: int = RELATION_YEAR,
    hypotheses: Path | None = None,
    ledger: Path | None = None,
    progress: Progress = _quiet,
) -> tuple[EvidenceCard, list[Path]]:
    """Make the card of any pair of indicators and write its page and JSON.

    Parameters
    ----------
    predictor, outcome : str
        Indicator ids.
    period : int
        Year in which both figures' periods end.
    hypotheses : Path, optional
        A file of hypotheses: those about this pair stand on the card.
    ledger : Path, optional
        The ledger whose record the card carries.
    progress : callable

    Raises
    ------
    OutcomesError
        If an indicator is not known, a figure is missing for the year, or a file is not valid.
    """
    from outcomes_analysis.evidence.playbook.hypotheses import weigh_hypotheses
    from outcomes_analysis.evidence.playbook.ledger import read_ledger
    from outcomes_analysis.figures.charts.relations import scatter
    from outcomes_analysis.relations import relate
    from outcomes_analysis.sources.hypothesis_form import load_hypotheses
    from outcomes_analysis.sources.release import load_observations

    known = read_ledger(ledger)
    links = load_hypotheses(hypotheses) if hypotheses else ()
    progress("setting the two figures beside each other")
    relation = relate(predictor, outcome, period=period)
    said: tuple[str, ...] = ()
    if links:
        progress("setting the hypotheses beside them")
        said = weigh_hypotheses(links).lines_about(predictor, outcome)
    progress("asking in every way, and writing the card")
    figure = scatter(relation, observations=load_observations())
    name = f"{_plain(predictor)}-{_plain(outcome)}-{period}"
    card = _card_of(relation, name=name, ledger=known, figure=figure, hypotheses=said)
    return card, _written(card, project())


def make_hypotheses(
    path: Path, *, out: Path | None = None, progress: Progress = _quiet
) -> tuple[FileReport, HypothesesResult | None, list[Path]]:
    """Check a file of hypotheses and, if it is valid, write the page and table that set the figures beside it.

    Parameters
    ----------
    path : Path
        The CSV.
    out : Path, optional
        Folder to write to, ``figures/`` by default.
    progress : callable

    Returns
    -------
    report : FileReport
    result : HypothesesResult or None
        None where the file is not valid; nothing is written then.
    files : list of Path
    """
    from outcomes_analysis.evidence.playbook.hypotheses import weigh_hypotheses
    from outcomes_analysis.evidence.playbook.hypothesis_pages import hypotheses_html
    from outcomes_analysis.figures.exporting import safe_csv
    from outcomes_analysis.sources.hypothesis_form import check_hypotheses

    report, links = check_hypotheses(path)
    if not report.valid:
        return report, None, []
    progress("setting the figures beside each link")
    result = weigh_hypotheses(links)
    folder = out or project().result("figures")
    stem = f"hypotheses-{_plain(path.stem)}"
    return (
        report,
        result,
        [
            write_atomic(folder / f"{stem}.html", hypotheses_html(result)),
            write_atomic(folder / f"{stem}.csv", safe_csv(result.table)),
        ],
    )


def make_portfolio(
    path: Path, *, period: int, out: Path | None = None, progress: Progress = _quiet
) -> tuple[FileReport, PortfolioResult | None, list[Path]]:
    """Check a file of programmes and, if it is valid, write its page and tables.

    Parameters
    ----------
    path : Path
        The CSV.
    period : int
        Year of the index that says where need is.
    out : Path, optional
        Folder to write to, ``portfolios/NAME`` by default.
    progress : callable

    Returns
    -------
    report : FileReport
    result : PortfolioResult or None
        None where the file is not valid; nothing is written then.
    files : list of Path
    """
    from outcomes_analysis.evidence.playbook.portfolio_pages import portfolio_html, portfolio_tables
    from outcomes_analysis.figures.mapping.provision import programme_map
    from outcomes_analysis.places.portfolios import portfolio
    from outcomes_analysis.sources.portfolio_form import check_portfolio

    report, programmes = check_portfolio(path)
    if not report.valid:
        return report, None, []
    progress("scoring the domains of every authority")
    result = portfolio(programmes, index=default_index(period))
    progress("drawing where programmes are beside need")
    there = result.need.loc[result.need["places"] > 0, "domain"]
    figures = {str(name): programme_map(result, domain=str(name)) for name in there}
    folder = out or project().result("portfolios", _plain(path.stem))
    files = [write_atomic(folder / "portfolio.html", portfolio_html(result, figures=figures))]
    files += [write_atomic(folder / name, text) for name, text in portfolio_tables(result).items()]
    return report, result, files


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
