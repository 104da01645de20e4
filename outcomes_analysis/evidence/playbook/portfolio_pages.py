"""A portfolio as a page and tables: coverage, where programmes are beside need, and what change could be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.page import Section, bullets, details_html, figure_html, page, paragraph, table_html
from outcomes_analysis.figures.exporting import safe_csv
from outcomes_analysis.places.portfolios import PortfolioResult
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, written_date

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure

_NEED = {
    "domain": "Domain",
    "worse": "Authorities clearly worse than England",
    "worse_with": "Of them, with a programme",
    "places": "Authorities with a programme",
    "in_better": "Of them, clearly better than England",
    "in_disputed": "Depends on contested figures",
    "in_unclear": "Not clear",
}
_CHANGES = {
    "programme": "Programme",
    "place": "Place",
    "indicator_name": "Figure",
    "period": "Period",
    "value": "Newest figure",
    "unit": "Unit",
    "reach": "Children reached",
    "cohort": "Children behind it",
    "percent": "Share reached, %",
    "change": "Smallest change that would be seen",
    "among_reached": "The same among those reached",
    "verdict": "Verdict",
}
_PLACES = {
    "programme": "Programme",
    "domain": "Domain",
    "age_stage": "Age stage",
    "place": "Place",
    "standing": "The place on this domain",
    "reach": "Children reached",
}

LIMITS = (
    "Where a programme is says nothing of how good it is, nor what would be there without it.",
    "A change that could be seen may come from anything else that moved in that place; one too small to be seen may "
    "still matter to the children.",
    "An authority that is not clearly worse than England has children in need too.",
    AREAS_NOT_CHILDREN,
)


def portfolio_html(
    result: PortfolioResult, *, figures: Mapping[str, Figure], title: str = "A portfolio beside need"
) -> str:
    """Write the page of a portfolio.

    Parameters
    ----------
    result : PortfolioResult
    figures : mapping of str to Figure
        Map of each domain with a programme.
    title : str

    Returns
    -------
    str
        An accessible page that asks for nothing outside itself. A withheld reach is ``[c]``.
    """
    made = result.manifest
    return page(
        title,
        [
            Section("In short", bullets(result.text.splitlines())),
            _covered(result),
            _beside_need(result, figures),
            _changes(result),
            Section("What this does not show", bullets(LIMITS)),
        ],
        lead="A funder's programmes by domain, age stage and place, beside where authorities stand on those domains.",
        footer=f"Data as at {written_date(made.data_as_at)}. Data {made.data}, question {made.spec}, outcomes_analysis "
        f"{made.package}.",
    )


def _covered(result: PortfolioResult) -> Section:
    reach = table_html(
        _crossed(result.matrix, "reach"),
        "Children reached a year, as the file has it",
        row_heading="domain",
        decimals=0,
        notes=["Lines whose reach is withheld are not in these sums."],
    )
    counts = table_html(
        _crossed(result.matrix, "programmes"), "Programmes by domain and age stage", row_heading="domain"
    )
    return Section("What is covered", counts + reach)


def _beside_need(result: PortfolioResult, figures: Mapping[str, Figure]) -> Section:
    experimental = result.need["experimental"]
    need = result.need.assign(
        domain=result.need["domain"].str.capitalize() + experimental.map({True: " (experimental)", False: ""}),
        status=experimental.map({True: "not_applicable", False: "published"}),
    )
    judged = [column for column in _NEED if column not in ("domain", "places")]
    need[judged] = need[judged].astype(float).mask(experimental)
    counted = table_html(
        need[[*_NEED, "status"]],
        f"By domain; \u201cclearly\u201d is by {result.spec.level:.0%} intervals",
        headings=_NEED,
        row_heading="domain",
        decimals=0,
        status=dict.fromkeys(judged, "status"),
        notes=["An experimental domain is not judged."],
    )
    maps = "".join(figure_html(f.svg(prefix=f"map-{name}"), f.title, f.alt) for name, f in figures.items())
    lines = table_html(
        _with_status(result)[[*_PLACES, "status"]],
        "Programmes and places",
        headings=_PLACES,
        row_heading="programme",
        decimals=0,
        status={"reach": "status"},
    )
    body = counted + maps + details_html("Every programme with its place", lines)
    return Section("Where programmes are, beside need", body)


def _changes(result: PortfolioResult) -> Section:
    named = _with_status(result).assign(percent=100 * result.table["share"])
    named = named[named["indicator"].ne("")]
    explained = paragraph(
        "The smallest change is what a place's figure would have to move by, from one year to the next and beside "
        f"England, to be seen {result.spec.power:.0%} of the time by a {result.spec.level:.0%} interval: (z of the "
        "interval + z of the chance) \u00d7 \u221a2 \u00d7 the error of a year's figure, sampling and year-to-year "
        "together (Bloom 1995). Divided by the share of children reached, it is what would have to change among them "
        "if nothing else did."
    )
    table = table_html(
        named[[*_CHANGES, "status"]],
        "Smallest changes that would be seen",
        headings=_CHANGES,
        row_heading="programme",
        decimals={"reach": 0, "cohort": 0},
        status={"reach": "status"},
    )
    return Section("What change could be seen", explained + table)


def _with_status(result: PortfolioResult) -> pd.DataFrame:
    """Lines with the mark of a contested figure, and of a reach that is withheld."""
    mark = result.table["contested"].map({True: " (contested)", False: ""})
    return result.table.assign(
        indicator_name=result.table["indicator_name"] + mark,
        status=result.table["reach"].isna().map({True: "suppressed", False: "published"}),
    )


def portfolio_tables(result: PortfolioResult) -> dict[str, str]:
    """Tables of a portfolio as CSV that no spreadsheet runs: by file name."""
    return {
        "coverage.csv": safe_csv(result.matrix),
        "need.csv": safe_csv(result.need),
        "places.csv": safe_csv(result.places),
        "smallest-changes.csv": safe_csv(result.table),
    }


def _crossed(matrix: pd.DataFrame, what: str) -> pd.DataFrame:
    """Domains down, age stages across, in the framework's order."""
    wide = matrix.pivot(index="domain", columns="age_stage", values=what)
    wide = wide.reindex(index=list(dict.fromkeys(matrix["domain"])), columns=list(dict.fromkeys(matrix["age_stage"])))
    return wide.rename(index=str.capitalize).reset_index().rename_axis(columns=None)
