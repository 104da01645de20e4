"""Commands of evidence for the Playbook: cards, hypotheses, predictions, a portfolio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outcomes_analysis.cli.telling import (
    USERS_MISTAKE,
    AsJson,
    Period,
    Quiet,
    progress,
    say,
    stop,
    year_of_option,
)
from outcomes_analysis.wording import plural, wrapped, written_date

LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="FILE", help="Another ledger.", show_default="predictions/ledger.jsonl"),
]


def cards(
    pair: Annotated[
        list[str] | None, typer.Argument(metavar="[INDICATOR OTHER]", help="Ids of two indicators, for a card of them.")
    ] = None,
    hypotheses: Annotated[
        Path | None, typer.Option("--hypotheses", metavar="FILE", help="Put what it says of the pair on the card.")
    ] = None,
    ledger: LedgerFile = None,
    period: Period = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write evidence cards: those of a run, or one of any two indicators."""
    from outcomes_analysis import pipeline
    from outcomes_analysis.pipeline import playbook
    from outcomes_analysis.project import project

    if pair is not None and pair and len(pair) != 2:
        stop("outcomes: a card is of two indicators: outcomes cards INDICATOR OTHER.", USERS_MISTAKE)
    with progress(quiet=quiet) as told:
        if pair:
            year = period or pipeline.RELATION_YEAR
            card, files = playbook.make_card(
                *pair, period=year, hypotheses=hypotheses, ledger=ledger, progress=told.step
            )
        else:
            if hypotheses or ledger:
                stop("outcomes: --hypotheses and --ledger go with a card of two indicators.", USERS_MISTAKE)
            told.step("writing evidence cards")
            files = playbook.write_cards(project(), period or pipeline.PERIOD)
    if quiet:
        return
    if pair:
        say(wrapped(card.short))
    say(f"{len(files)} files are ready. Open in a browser: {files[0]}")


def hypotheses(
    file: Annotated[Path, typer.Argument(help="A CSV: from, to, sign, whose, and the indicators that stand for them.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write to.", show_default="figures/")] = None,
    quiet: Quiet = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set the published figures beside a file of causal-loop hypotheses."""
    from outcomes_analysis.pipeline import playbook

    with progress(quiet=quiet or as_json) as told:
        report, result, files = playbook.make_hypotheses(file, out=out, progress=told.step)
    if result is None:
        say(report.to_json() if as_json else report.text)
        raise typer.Exit(USERS_MISTAKE)
    if as_json:
        say(result.table.to_json(orient="records"))
    elif not quiet:
        say(wrapped(result.text))
        say(f"The page is ready. Open it in a browser: {files[0]}")


def predict(
    indicators: Annotated[
        list[str], typer.Argument(metavar="INDICATOR [OTHER]", help="One id for a forecast, two for an association.")
    ],
    year: Annotated[
        int, typer.Option("--year", metavar="YEAR", parser=year_of_option, help="Year in which the period ends.")
    ],
    scenario: Annotated[
        str, typer.Option(metavar="NAME", help="What England is taken to do: no_change or recent_drift.")
    ] = "no_change",
    note: Annotated[str, typer.Option(help="Kept with the prediction.")] = "",
    ledger: LedgerFile = None,
) -> None:
    """Seal a prediction before the figures are there, to be scored when they come."""
    from outcomes_analysis.evidence.playbook.predicting import seal_forecast, seal_relation, seal_words
    from outcomes_analysis.framework import load_framework

    if len(indicators) > 2:
        stop("outcomes: give one indicator for a forecast, or two for an association.", USERS_MISTAKE)
    if len(indicators) == 1:
        entry = seal_forecast(indicators[0], year=year, scenario=scenario, note=note, path=ledger)
    else:
        entry = seal_relation(*indicators, year=year, note=note, path=ledger)
    say(wrapped(seal_words(entry, load_framework())))


def ledger(
    score: Annotated[bool, typer.Option("--score", help="Score what can be scored with the figures here.")] = False,
    holds: Annotated[
        str, typer.Option("--holds", metavar="SEAL", help="Prove that a seal told earlier is in the ledger.")
    ] = "",
    file: LedgerFile = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Prove the ledger of predictions, show it, and score what has come."""
    from outcomes_analysis.evidence.playbook.ledger import read_ledger
    from outcomes_analysis.evidence.playbook.scorekeeping import ledger_table, score_predictions

    known = read_ledger(file)
    if holds:
        entry = known.holding(holds)
        say(
            f"Entry {entry.number}, of {written_date(entry.made_on)}, bears this seal, and every entry up to the "
            "newest is as sealed."
        )
        return
    added = score_predictions(path=file) if score else []
    known = read_ledger(file)
    table = ledger_table(known)
    if as_json:
        say(table.to_json(orient="records"))
        return
    if table.empty:
        say("The ledger is empty. Seal a prediction with: outcomes predict INDICATOR [OTHER] --year YEAR")
        return
    if score:
        say(f"{plural(len(added), 'prediction is', 'predictions are')} scored now." if added else
            "No prediction can be scored yet: the figures foretold are not here.")  # fmt: skip
    for row in table.to_dict("records"):
        came = f" {row['came']}." if row["came"] else ""
        say(wrapped(
            f"{row['number']}. {row['ids']}, {row['year']} (sealed {written_date(row['sealed_on'])}): "
            f"{row['foretold']}. {'Not scored yet' if row['state'] == 'open' else row['state'].capitalize()}.{came}"
        ))  # fmt: skip
    say(f"Every entry is as it was sealed. Newest seal {known.head}")


def portfolio(
    file: Annotated[Path, typer.Argument(help="A CSV: programme, domain, age_stage, place, reach, indicator.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to.", show_default="portfolios/NAME")
    ] = None,
    period: Period = None, quiet: Quiet = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set a funder's programmes beside need, and say what change their figures could show."""
    from outcomes_analysis import pipeline
    from outcomes_analysis.pipeline import playbook

    with progress(quiet=quiet or as_json) as told:
        report, result, files = playbook.make_portfolio(
            file, period=period or pipeline.PERIOD, out=out, progress=told.step
        )
    if result is None:
        say(report.to_json() if as_json else report.text)
        raise typer.Exit(USERS_MISTAKE)
    if as_json:
        say(result.table.to_json(orient="records"))
    elif not quiet:
        say(wrapped(result.text))
        say(f"{len(files)} files are ready. Open in a browser: {files[0]}")


VERBS = (cards, hypotheses, predict, ledger, portfolio)
