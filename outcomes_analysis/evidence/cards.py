"""Fit-for-purpose cards as a page: what each indicator can bear, what is withheld, and why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.page import Section, bullets, details_html, links, page, paragraph, table_html
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.judging.fit_wording import USE_WORDS, amount
from outcomes_analysis.index.judging.purpose import FitnessResult
from outcomes_analysis.observations.holding import held_text
from outcomes_analysis.wording import listed, plural, written_date

TITLE = "What each indicator is fit for"
CONTEXT = "Context: described, not scored"
YES, NO, OVERRIDDEN = "yes", "withheld", "by override"
HEADINGS = {
    "name": "Indicator",
    "period": "Newest figures",
    "rank": "A rank",
    "change": "A verdict on change in a year",
    "england": "A comparison with England",
    "reliability": "Reliability",
    "smallest": "Smallest change in a year that shows",
    "present": "Authorities with a figure, %",
}


def cards_html(fitness: FitnessResult, *, framework: Framework) -> str:
    """Write the cards as one accessible page: how to read them, then a table and the cards of each domain.

    Parameters
    ----------
    fitness : FitnessResult
        From :func:`outcomes_analysis.index.fitness`.
    framework : Framework
        Says which domain an indicator belongs to.

    Returns
    -------
    str
        An HTML page that asks for nothing outside itself.
    """
    homes = fitness.table["indicator_id"].map(lambda name: _home(framework, str(name)))
    labels = [node.label for node in framework.domains]
    order = [*labels, *sorted(set(homes) - set(labels))]
    sections = [Section("How to read the cards", _explained(fitness))]
    sections += [
        _section(label, fitness.table[homes == label], fitness.cards) for label in order if (homes == label).any()
    ]
    as_at = f" Data as at {written_date(fitness.manifest.data_as_at)}." if fitness.manifest.data_as_at else ""
    return page(TITLE, sections, lead=fitness.text, footer=f"Framework version {framework.version}.{as_at}")


def fitness_section(fitness: FitnessResult, *, scored: list[str], bands: pd.DataFrame | None = None) -> Section:
    """The cards in short, for a page that holds more than them.

    Parameters
    ----------
    fitness : FitnessResult
    scored : list of str
        Indicators that count in a domain.
    bands : DataFrame, optional
        By indicator, how its bands did when held against figures they had not seen: ``method`` (``borrowed`` where its
        year-to-year movement is that of others), ``band_verdict`` (``fewer``,
        ``more``, ``as stated``, ``not tested``) and ``band_held`` (share of figures inside).

    Returns
    -------
    Section
    """
    rows = fitness.table[fitness.table["indicator_id"].isin(scored)]
    items = []
    for use, words in USE_WORDS.items():
        held = rows[~rows[f"use_{use}"]]
        items.append(
            f"{words[:1].upper()}{words[1:]}: {int(rows[f'use_{use}'].sum())} of {len(rows)} scored indicators can "
            f"bear it{_named(held) if len(held) else ''}."
        )
    body = paragraph(
        "Not every figure can bear every use. A rank or a verdict on change of a single indicator is withheld where "
        "its figures are too noisy, too many authorities have none, or nobody has agreed which way is better."
    )
    body += bullets(items) + _bands(rows, bands, level=fitness.spec.level)
    body += links([("fit-for-purpose.html", "Fit-for-purpose cards", "every indicator, with the reasons")])
    return Section("What each indicator is fit for", body, anchor="fitness")


def _named(held: pd.DataFrame) -> str:
    names = [str(name) for name in held["name"]]
    shown = "; ".join(names[:4])
    return f". Withheld for {shown}{f' and {len(names) - 4} more' if len(names) > 4 else ''}"


def _bands(rows: pd.DataFrame, bands: pd.DataFrame | None, *, level: float) -> str:
    """Which indicators' own bands held too few of the figures held out, and which were not tested."""
    if bands is None or "band_verdict" not in bands:
        return ""
    mine, names = bands.reindex(rows["indicator_id"]), rows.set_index("indicator_id")["name"]
    return paragraph(held_text(mine, names=names, level=level)) + _borrowed(mine, names)


def _borrowed(mine: pd.DataFrame, names: pd.Series) -> str:
    """Which indicators have no two years to compare, so that what is said of their noise rests on the others."""
    if "method" not in mine or not mine["method"].eq("borrowed").any():
        return ""
    found = [str(names[i]) for i in mine.index[mine["method"] == "borrowed"]]
    return paragraph(
        f"No two comparable years: {listed(found)}. How far such a figure moves from year to year is not known; it is "
        "taken to be what is usual among the other indicators. Its interval, and the rank it may bear, rest on that."
    )


def _home(framework: Framework, indicator: str) -> str:
    outcome = framework.indicator(indicator).outcome
    return framework.node(framework.domain_of(outcome)).label if outcome else CONTEXT


def _explained(fitness: FitnessResult) -> str:
    spec = fitness.spec
    return bullets(
        [
            f"A rank is given where at least {spec.reliability:.2f} of the spread between authorities is more than "
            f"noise (the reliability), at least {spec.available:.0%} of authorities have a figure, and it is agreed "
            "which way is better.",
            f"A verdict on change in a year is given where a change of {spec.change:.2f} standard deviations between "
            "authorities would show: that carries an authority in the middle past a quarter of all.",
            f"A comparison with England is given where at least {spec.england:.0%} of authorities can be told apart "
            "from it; one in ten would differ by chance.",
            f"Intervals behind these are {spec.level:.0%} intervals. What is withheld can be asked for by name; the "
            "output then says so.",
        ]
    )


def _section(label: str, rows: pd.DataFrame, cards: Mapping[str, str]) -> Section:
    table = table_html(
        _in_words(rows)[list(HEADINGS)],
        f"{label.split(':')[0]}: what {plural(len(rows), 'indicator', 'indicators')} can bear",
        headings=HEADINGS,
        row_heading="name",
        decimals={"reliability": 2, "present": 0},
    )
    opened = "".join(details_html(str(r["name"]), paragraph(cards[r["indicator_id"]])) for _, r in rows.iterrows())
    return Section(label, table + paragraph("The cards in full:") + opened)


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    shown = rows[["name", "reliability"]].assign(period=rows["period"].map(written_date))
    for use in USE_WORDS:
        asked = rows["overridden"].str.split(", ").map(lambda given, use=use: use in given)
        shown[use] = np.where(asked, OVERRIDDEN, np.where(rows[f"use_{use}"], YES, NO))
    shown["smallest"] = [
        amount(value, unit) if np.isfinite(value) else "not known"
        for value, unit in zip(rows["smallest_change"], rows["unit"], strict=True)
    ]
    shown["present"] = 100 * rows["n_areas"] / (rows["n_areas"] + rows["n_missing"])
    return shown
