"""Predictions sealed on a release cut short, scored with the later one; refused where the figures are known already."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import outcomes_analysis as oa
from outcomes_analysis.errors import SpecError
from outcomes_analysis.evidence.playbook.known import known_by
from outcomes_analysis.evidence.playbook.ledger import read_ledger
from outcomes_analysis.evidence.playbook.predicting import (
    replication_interval,
    seal_forecast,
    seal_relation,
    seal_words,
)
from outcomes_analysis.evidence.playbook.scorekeeping import (
    interval_score,
    ledger_table,
    record_of,
    score_predictions,
)
from outcomes_analysis.relations.analyses import correlations

DAY = date(2026, 1, 5)
LATER = date(2027, 1, 5)


@pytest.fixture(scope="module")
def released() -> pd.DataFrame:
    """The figures the predictions are of, and of child poverty."""
    ids = ["gld_pct", "persistent_absence", "attainment8", "mh_admissions_0_17", "pop_0_17"]
    table = oa.load_observations()
    kept = table[table["indicator_id"].isin(ids)]
    kept.attrs = dict(table.attrs)
    return kept


def test_an_association_foretold_from_2023_is_scored_by_2024(released: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    pair = ("persistent_absence", "attainment8")
    sealed = seal_relation(*pair, year=2024, observations=known_by(released, 2023), path=path, today=DAY)
    assert (sealed.content["origin"], sealed.content["sign"]) == (2023, -1)
    assert score_predictions(observations=known_by(released, 2023), path=path, today=LATER) == []
    assert record_of(read_ledger(path), pair).text.endswith("none can be scored yet.")

    (score,) = score_predictions(observations=released, path=path, today=LATER)
    spec = oa.RelationSpec(outcome=pair[1], predictors=(pair[0],), years=(2024,))
    came = correlations(spec=spec, draws=100).row("spearman_neighbours")
    assert score.content["estimate"] == pytest.approx(came["estimate"], abs=1e-6)  # entries hold six decimals
    assert score.content["inside"] == (sealed.content["lower"] <= came["estimate"] <= sealed.content["upper"])
    assert (score.content["direction"], score.content["true"]) == ("as foretold", True)
    record = record_of(read_ledger(path), pair[::-1])
    assert (record.sealed, record.scored, record.true, record.held) == (1, 1, 1, True)
    assert score_predictions(observations=released, path=path, today=LATER) == [], "scored once"
    assert list(ledger_table(read_ledger(path))["state"]) == ["came true"]


def test_a_forecast_from_2024_is_scored_by_2025(released: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    sealed = seal_forecast("gld_pct", year=2025, observations=known_by(released, 2024), path=path, today=DAY)
    (score,) = score_predictions(observations=released, path=path, today=LATER)
    rows = released[released["indicator_id"].eq("gld_pct") & released["group"].eq("all")]
    came = rows[rows["period"].eq("2024/25")].set_index("area_code")["value"]
    last = rows[rows["period"].eq("2023/24")].set_index("area_code")["value"]
    inside, errors, still, scores = [], [], [], []
    for code, (estimate, lower, upper, newest) in sealed.content["figures"].items():  # by hand, one at a time
        assert newest == last[code]
        if code == "E92000001":
            continue
        x = came[code]
        inside.append(lower <= x <= upper)
        errors.append(abs(estimate - x))
        still.append(abs(newest - x))
        scores.append(upper - lower + 20 * max(lower - x, 0) + 20 * max(x - upper, 0))
    found = score.content
    assert found["n"] == len(inside) >= 145
    for name, values in (("inside", inside), ("error", errors), ("error_no_change", still), ("interval_score", scores)):
        assert found[name] == pytest.approx(np.mean(values), abs=1e-6), name
    assert found["true"] == (np.mean(inside) >= 0.85)
    assert found["england"] == came["E92000001"]


def test_what_the_release_has_already_is_not_foretold(released: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with pytest.raises(SpecError, match="up to 2024: a prediction for 2024 would not be made beforehand"):
        seal_relation("mh_admissions_0_17", "attainment8", year=2024, observations=released, path=path)
    with pytest.raises(SpecError, match=r"up to 2025: .* Choose 2026 to 2028"):
        seal_forecast("gld_pct", year=2025, observations=released, path=path)
    with pytest.raises(SpecError, match="more than 3 years after 2025"):
        seal_forecast("gld_pct", year=2029, observations=released, path=path)
    with pytest.raises(SpecError, match="A break is declared between 2019 and 2022"):
        seal_forecast("gld_pct", year=2022, observations=known_by(released, 2021), path=path)
    with pytest.raises(SpecError, match="recent_drift or no_change"):
        seal_forecast("gld_pct", year=2026, scenario="to_target", observations=released, path=path)
    assert not path.exists()


def test_one_place_with_a_figure_is_enough_to_refuse_a_forecast(released: pd.DataFrame, tmp_path: Path) -> None:
    early = released[released["area_code"].eq("E09000012") | (released["period_end"].dt.year <= 2024)]
    early.attrs = dict(released.attrs)
    with pytest.raises(SpecError, match="up to 2025"):
        seal_forecast("gld_pct", year=2025, observations=early, path=tmp_path / "ledger.jsonl")


def test_a_break_declared_since_withdraws_the_prediction(
    released: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.jsonl"
    seal_forecast("gld_pct", year=2025, observations=known_by(released, 2024), path=path, today=DAY)
    monkeypatch.setattr(
        "outcomes_analysis.evidence.playbook.scorekeeping.breaks_between", lambda *_, **__: ["gld_pct from 2024/25"]
    )
    (score,) = score_predictions(observations=released, path=path, today=LATER)
    assert score.content["true"] is None
    assert list(ledger_table(read_ledger(path))["state"]) == ["withdrawn"]
    record = record_of(read_ledger(path), ["gld_pct"])
    assert (record.sealed, record.scored, record.held) == (1, 0, None)


def test_one_of_the_two_known_already_is_said(released: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    entry = seal_relation("mh_admissions_0_17", "attainment8", year=2025, observations=released, path=path)
    assert entry.content["known_already"] == ["attainment8"]
    words = seal_words(entry, oa.load_framework())
    assert "mental health admissions (contested)" in words
    assert "Figures of attainment8 for that year are known already." in words
    assert entry.hash in words


def test_the_interval_score_is_that_of_the_pinball_losses() -> None:
    """It is the sum of both bounds' quantile losses times 2 over alpha: Gneiting and Raftery (2007), section 6.2."""
    rng = np.random.default_rng(1)
    x, low = rng.normal(size=200), rng.normal(-1, 0.3, size=200)
    high, level = low + rng.uniform(0.1, 3, size=200), 0.8
    alpha = 1 - level

    def pinball(q: np.ndarray, share: float) -> np.ndarray:
        return np.where(x >= q, share * (x - q), (1 - share) * (q - x))

    expected = 2 / alpha * (pinball(low, alpha / 2) + pinball(high, 1 - alpha / 2))
    np.testing.assert_allclose(interval_score(x, low, high, level=level), expected, rtol=1e-12)  # the same sums


@pytest.mark.parametrize("other", [(-1.2, 1.645), (-1.645, 1.9), (-2.0, 2.0), (-1.3, 1.3)])
def test_no_interval_scores_better_on_average_than_the_true_one(other: tuple[float, float]) -> None:
    def expected(low: float, high: float) -> float:
        def term(x: float) -> float:
            return float(interval_score(x, low, high, level=0.9) * stats.norm.pdf(x))

        return float(integrate.quad(term, -8, 8, points=[low, high])[0])

    assert expected(stats.norm.ppf(0.05), stats.norm.ppf(0.95)) < expected(*other)


def test_a_correlation_found_again_lies_inside_as_often_as_stated() -> None:
    """Two separate samples of one population: the second correlation is inside the interval made from the first."""
    rng = np.random.default_rng(3)
    n, times, rho = 60, 4000, -0.5
    z = stats.norm.ppf(0.95) / np.sqrt(n - 3)
    inside = 0
    for _ in range(times):
        first, second = (np.corrcoef(_pair(rng, n, rho))[0, 1] for _ in range(2))
        low, high = replication_interval(np.tanh(np.arctanh(first) - z), np.tanh(np.arctanh(first) + z), first)
        inside += low <= second <= high
    # two Monte Carlo errors of a share of .9 in 4,000 are .0095; Fisher's form is itself off by about .003 at n = 60
    assert inside / times == pytest.approx(0.9, abs=0.0125)


def _pair(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    x, e = rng.normal(size=(2, n))
    return np.stack([x, rho * x + np.sqrt(1 - rho**2) * e])


def test_the_manifest_of_an_entry_is_of_the_figures_given(released: pd.DataFrame, tmp_path: Path) -> None:
    one = seal_forecast("gld_pct", year=2026, observations=released, path=tmp_path / "a.jsonl", today=DAY)
    two = seal_forecast(
        "gld_pct", year=2025, observations=known_by(released, 2024), path=tmp_path / "b.jsonl", today=DAY
    )
    assert one.content["release"] != two.content["release"]
    assert SimpleNamespace(**one.content).data_as_at == released.attrs["data_as_at"]


@pytest.mark.slow
def test_what_was_foretold_clearly_in_past_years_came(tmp_path: Path) -> None:
    """Sealed on releases cut short, two years running, of figures that plainly go together."""
    pairs = [("persistent_absence", "attainment8"), ("gld_pct", "phonics_y1"), ("cla_rate", "attainment8")]
    table = oa.load_observations()
    ids = {i for pair in pairs for i in pair} | {"pop_0_17"}
    kept = known_by(table[table["indicator_id"].isin(ids) & table["group"].eq("all")], 2025)
    scores = []
    for year in (2024, 2025):  # the grading of attainment broke before
        path = tmp_path / f"{year}.jsonl"
        for pair in pairs:
            seal_relation(*pair, year=year, observations=known_by(kept, year - 1), path=path, today=DAY)
        scores += score_predictions(observations=kept, path=path, today=LATER)
    assert len(scores) == 6
    assert {score.content["direction"] for score in scores} == {"as foretold"}
    # of 62 such over eleven years 94 % were inside; at 90 % fewer than four of six would be in one of 60
    assert sum(score.content["inside"] for score in scores) >= 4
