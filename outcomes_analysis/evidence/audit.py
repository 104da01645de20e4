"""The audit of an index as a page that a trustee can read: findings first, tables behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.page import (
    Section,
    bullets,
    details_html,
    heading,
    links,
    page,
    paragraph,
    table_html,
)
from outcomes_analysis.index.judging.audit_sections import WEAK
from outcomes_analysis.index.judging.audit_wording import decimals_below, domain_sentences
from outcomes_analysis.index.judging.auditing import SECTIONS, AuditReport
from outcomes_analysis.wording import listed, number, plural, written_date

TITLE = "Audit of the domain scores"
# Two decimals but where they would be false precision.
PLACES = {
    "age": 0,
    "dimensions": 0,
    "bartlett_p": 3,
    **{f"{name}_{shift}_shift": 0 for name in ("without", "geometric", "arithmetic") for shift in ("mean", "largest")},
}


@dataclass(frozen=True)
class _Shown:
    """How one section is shown: what it is about, and which statistics become which columns."""

    explained: str
    columns: Mapping[str, str]


SHOWN = {
    "availability": _Shown(
        "A score is only as good as what is there. Below 65% an indicator is flagged; a figure three or more years old "
        "is called old.",
        {"available": "Share of authorities with a figure", "age": "Age in years (newest to oldest)"},
    ),
    "outliers": _Shown(
        "A few extreme places can rule a score. Flagged where skew exceeds 2 and kurtosis 3.5 together. Before: as "
        "published; after: on the scale on which the indicator enters.",
        {
            "skew_published": "Skew before",
            "kurtosis_published": "Kurtosis before",
            "skew": "Skew after",
            "kurtosis": "Kurtosis after",
            "furthest": "Furthest place, in standard deviations",
        },
    ),
    "within": _Shown(
        "Measures of one thing go together. A pair is flagged negative where one runs against the other beyond what "
        "chance would give, taking into account how many pairs there are. Higher is better for every measure.",
        {"correlation": "Correlation (90% interval)", "rank_correlation": "Rank correlation"},
    ),
    "across": _Shown(
        "Each measure should go more with the rest of its own domain than with another domain. Weak: below 0.3. "
        "Elsewhere: it goes more with another domain.",
        {
            "own_rest": "With the rest of its domain",
            "best_other": "With the domain it goes with most besides",
            "correlation": "Between domains (90% interval)",
        },
    ),
    "consistency": _Shown(
        "Cronbach's alpha says how far the measures of a domain agree: 0.7 and more is usual for one thing. It rises "
        "with the number of measures, so it is read together with the number of dimensions.",
        {
            "alpha_standardised": "Alpha, standardised (90% interval)",
            "alpha_raw": "Alpha, raw (90% interval)",
            "alpha_indicators": "Alpha of all indicators (90% interval)",
            "alpha_without": "Alpha without this measure",
        },
    ),
    "dimensions": _Shown(
        "How many separate things the measures of a domain hold. A component counts (kept) where it is larger than the "
        "same figures put in random order would give 19 times in 20. KMO below 0.6 says that the measures share too "
        "little for components to mean much.",
        {
            "eigenvalue": "Size of component (90% interval)",
            "threshold": "Size that chance gives",
            "first_share": "Share of the first component",
            "dimensions": "Dimensions",
            "kmo": "KMO",
            "bartlett_p": "Bartlett's test, p",
        },
    ),
    "weights": _Shown(
        "The weight is what was decided; importance is how much of the differences in the score goes with the measure "
        "as things turned out. The two differ where measures overlap or run against each other.",
        {
            "weight": "Weight",
            "importance_share": "Importance, of all measures",
            "importance": "Share of the score's variance that goes with it",
            "variance_share": "Share by covariance",
        },
    ),
    "trade_offs": _Shown(
        "An average trades one thing for another: each amount below moves the domain score by a tenth, so the score "
        "counts them as equal. A minus sign: less of it is better. True near England's figure.",
        {"amount": "Amount that moves the score by 0.1"},
    ),
    "compensation": _Shown(
        "In an average a good part makes up for a poor one. The geometric mean forgives less: the shifts show how the "
        "order would change with it.",
        {
            "best_with_low_part": "Share of the best fifth with a measure in the worst fifth",
            "geometric_rank_correlation": "Rank correlation with the other mean",
            "geometric_mean_shift": "Mean shift in the order",
            "geometric_largest_shift": "Largest shift",
        },
    ),
    "covariate": _Shown(
        "How much of the differences between authorities goes with this one condition. It says nothing of what makes "
        "what happen.",
        {
            "share": "Share of the differences (90% interval)",
            "rank_correlation": "Correlation of the ranks (90% interval)",
        },
    ),
    "doublets": _Shown(
        "Two figures that nearly agree everywhere (beyond 0.92) say one thing twice and should share one weight.",
        {"correlation": "Correlation (90% interval)"},
    ),
    "leave_one_out": _Shown(
        "How far places would move in the order without each measure: a score that rests on one measure is fragile.",
        {
            "without_mean_shift": "Mean shift in the order",
            "without_largest_shift": "Largest shift",
            "without_rank_correlation": "Rank correlation with the score",
        },
    ),
}


def audit_html(report: AuditReport) -> str:
    """Write an audit as one accessible page.

    Parameters
    ----------
    report : AuditReport
        From :func:`outcomes_analysis.index.audit`.

    Returns
    -------
    str
        An HTML page that asks for nothing outside itself: the verdict on each domain, findings in words, and one
        section for each step of the handbook with its table behind a heading that opens.
    """
    lead = report.text.split("\n\n")[0]
    sections = [
        Section("What was found", _findings(report)),
        *(_section(name, rows, report) for name, rows in report.sections.items() if name in SHOWN),
    ]
    footer = (
        "Steps and limits follow the OECD/JRC Handbook on Constructing Composite Indicators (2008). Intervals are 90%."
    )
    as_at = f" Data as at {written_date(report.manifest.data_as_at)}." if report.manifest.data_as_at else ""
    return page(TITLE, sections, lead=lead, footer=footer + as_at)


def audit_sections(report: AuditReport) -> list[Section]:
    """The audit's verdicts and the reason for each, for a page that holds more than the audit.

    Parameters
    ----------
    report : AuditReport

    Returns
    -------
    list of Section
    """
    body = [
        paragraph(
            "A score stands for one thing only if its parts vary together. Where they do not, the score is a sum "
            "declared by its weights, and the parts tell more than the sum."
        ),
        paragraph(report.text.split("\n\n")[0]),
        _verdicts(report),
        bullets([f"{one['label']}: {_lowered(str(one['reasons']))}" for _, one in report.verdicts.iterrows()]),
        links([("audit.html", TITLE, "every step, with its tables")]),
    ]
    return [Section("Does each domain behave as one thing?", "".join(body), anchor="audit")]


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _findings(report: AuditReport) -> str:
    """The verdicts as a table, each domain's findings as a list, and what concerns them all."""
    parts = [_verdicts(report)]
    for _, verdict in report.verdicts.iterrows():
        parts.append(heading(str(verdict["label"])))
        parts.append(bullets(domain_sentences(report.table, verdict, labels=report.labels)))
    parts.append(heading("All domains"))
    parts.append(paragraph(report.text.split("\n\n")[-1]))
    return "".join(parts)


def _verdicts(report: AuditReport) -> str:
    frame = report.verdicts.reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "domain": frame["label"],
            "read_as": np.where(frame["read_as"] == "one scale", "One score", "Parts first"),
            "measures": frame["n_measures"].astype(int),
            "dimensions": frame["dimensions"].astype(int),
            "alpha": frame["alpha"].astype(float),
            "alpha_lower": frame["alpha_lower"].astype(float),
            "against": frame["negative_pairs"].astype(int),
        }
    )
    headings = {
        "read_as": "To be read as",
        "measures": "Distinct measures",
        "dimensions": "Separate things",
        "alpha": "Agreement (Cronbach's alpha)",
        "alpha_lower": "Its lower end (90%)",
        "against": "Pairs against each other",
    }
    rule = (
        "One score: three measures or more that hold one thing, no pair against each other beyond chance, and "
        "agreement of 0.6 or more at the lower end. Otherwise the score is a declared weighted sum and its parts come "
        "first."
    )
    return table_html(shown, "How each domain is to be read", headings=headings, decimals=2, notes=[rule])


def _section(name: str, rows: pd.DataFrame, report: AuditReport) -> Section:
    shown = SHOWN[name]
    title = _goes_with(report.covariates) if name == "covariate" and report.covariates else SECTIONS[name]
    frame = _wide(rows, shown, report.labels)
    if frame.empty:
        return Section(title, paragraph(shown.explained) + paragraph("Nothing to show here.", kind="note"))
    flagged = int((frame["flag"] != "").sum()) if "flag" in frame else 0
    note = f"{plural(flagged, 'line', 'lines')} flagged." if flagged else ""
    headings = {"item": "What", "flag": "Flag", "note": "Note", **shown.columns}
    table = table_html(frame, title, headings=headings, row_heading="item", group="domain")
    body = details_html(f"Table: {title.lower()} ({plural(len(frame), 'line', 'lines')})", table)
    return Section(title, paragraph(f"{shown.explained} {note}".strip()) + body)


def _goes_with(covariates: Sequence[str]) -> str:
    """Heading that says all that the covariates have in common first: child poverty before and after housing costs."""
    return f"Share that goes with {listed(list(covariates))}"


def _wide(rows: pd.DataFrame, shown: _Shown, labels: Mapping[str, str]) -> pd.DataFrame:
    """One line an item, statistics side by side, intervals in words; columns without any content are dropped."""
    kept = rows[rows["statistic"].isin(shown.columns)]
    lines = []
    for (node, item), block in kept.groupby(["node_id", "item"], sort=False):
        line: dict[str, object] = {"domain": _node_words(str(node), labels), "item": _item_words(str(item), labels)}
        for one in block.itertuples():
            places = PLACES.get(str(one.statistic), 2)
            if one.statistic == "own_rest" and one.value < WEAK:
                places = decimals_below(one.value, WEAK)
            line[str(one.statistic)] = _value_words(one.value, one.lower, one.upper, places)
        line["flag"] = ", ".join(dict.fromkeys(f for f in block["flag"] if f))
        notes = dict.fromkeys(labels.get(n, n) for n in block["note"] if n)
        line["note"] = "; ".join(notes)
        lines.append(line)
    frame = pd.DataFrame(lines, columns=["domain", "item", *shown.columns, "flag", "note"]).fillna("")
    return frame[[c for c in frame.columns if c in ("domain", "item") or (frame[c] != "").any()]]


def _value_words(value: float, lower: float, upper: float, decimals: int) -> str:
    if not np.isfinite(lower) or lower == upper:
        return number(value, decimals)
    return f"{number(value, decimals)} ({number(lower, decimals)} to {number(upper, decimals)})"


def _node_words(node: str, labels: Mapping[str, str]) -> str:
    return " and ".join(labels.get(n, n) for n in node.split(" | ")) if node else "Between domains"


def _item_words(item: str, labels: Mapping[str, str]) -> str:
    return " with ".join(labels.get(i, i) for i in item.split(" | ")).replace("component", "Component")
