"""How the domains go together, for the report: every pair, as it is and within regions at similar poverty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes_analysis.evidence.page import Section, details_html, paragraph, table_html
from outcomes_analysis.wording import AREAS_NOT_CHILDREN

if TYPE_CHECKING:
    import pandas as pd

    from outcomes_analysis.relations import JointResult

FIRST_PARAGRAPHS = 4  # the rest of the text is folded away
HEADINGS = {
    "pair": "Domains",
    "estimate": "Correlation as it is",
    "lower": "Lower",
    "upper": "Upper",
    "estimate_given": "Given poverty and region",
    "lower_given": "Lower",
    "upper_given": "Upper",
}


def together_section(joint: JointResult) -> Section:
    """Write the section; where the fit says nothing, it says why."""
    told = [paragraph(p) for p in joint.text.split("\n") if p.strip()]
    rows = joint.correlations()
    shown = rows[rows["status"] == "computed"]
    body = [*told[:FIRST_PARAGRAPHS], paragraph(AREAS_NOT_CHILDREN, kind="note")]
    if len(shown):
        body.append(_table(shown))
        body.append(details_html("With the other domains allowed for too", _table(joint.links(), linked=True)))
    if told[FIRST_PARAGRAPHS:]:
        body.append(details_html("The whole answer, with what to mind", "".join(told[FIRST_PARAGRAPHS:])))
    return Section("How the domains go together", "\n".join(body), anchor="together")


def _table(rows: pd.DataFrame, *, linked: bool = False) -> str:
    pairs = rows["domain"].str.capitalize() + " and " + rows["other"].str.capitalize()
    marked = pairs + rows["experimental"].map({True: " (experimental)", False: ""})
    level = float(rows["level"].iloc[0])
    what = "Partial correlations (all other domains allowed for)" if linked else "Correlations"
    return table_html(
        rows.assign(pair=marked)[list(HEADINGS)],
        f"{what} between domains across authorities, with {level:.0%} intervals: as they are, and between authorities "
        "of one region with similar child poverty after housing costs",
        headings=HEADINGS,
        row_heading="pair",
        decimals=2,
    )
