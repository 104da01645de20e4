"""A portfolio beside need: sums by hand, nothing told of few children, and the smallest change by closed form and by draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

import outcomes_analysis as oa
from outcomes_analysis.errors import SourceError
from outcomes_analysis.framework import load_framework
from outcomes_analysis.index import IndexResult
from outcomes_analysis.places.detecting import CANNOT, IN_REACH, NO_FIGURE, NO_REACH, smallest_change, smallest_for
from outcomes_analysis.places.portfolios import BETTER, UNJUDGED, WORSE, PortfolioResult, portfolio
from outcomes_analysis.project import project
from outcomes_analysis.sources.portfolio_form import Programme, check_portfolio, load_portfolio
from outcomes_analysis.sources.vetting import FileReport

EXAMPLE = project().path("data", "local", "example_portfolio.csv")
HEAD = "programme,domain,age_stage,place,reach,indicator\n"
HACKNEY, KENT, CITY = "E09000012", "E10000016", "E09000001"


@pytest.fixture(scope="module")
def observations() -> pd.DataFrame:
    return oa.load_observations()


@pytest.fixture(scope="module")
def index(observations: pd.DataFrame) -> IndexResult:
    return oa.build_index(oa.build_matrix(observations, framework=load_framework(), period=2025))


@pytest.fixture(scope="module")
def found(index: IndexResult, observations: pd.DataFrame) -> PortfolioResult:
    return portfolio(load_portfolio(EXAMPLE), index=index, observations=observations)


def programme(**given: object) -> Programme:
    usual: dict[str, object] = {
        "line": 2, "name": "one", "domain": "learning", "stage": "early years", "place": HACKNEY, "reach": 300,
        "indicator": "gld_pct",
    }  # fmt: skip
    return Programme(**{**usual, **given})  # type: ignore[arg-type]


def test_the_matrix_is_the_sum_of_its_lines(found: PortfolioResult) -> None:
    lines = pd.read_csv(EXAMPLE)
    lines["reach"] = pd.to_numeric(lines["reach"], errors="coerce")
    matrix = found.matrix.set_index(["domain", "age_stage"])
    assert len(matrix) == 5 * 5
    early = matrix.loc[("learning", "early years (to 5)")]
    mine = lines[lines["domain"].eq("learning")]
    assert (early["programmes"], early["places"], early["reach"]) == (1, 3, mine["reach"].sum())
    assert matrix["programmes"].sum() == 5
    engaged = matrix.loc[("engaged", "secondary years (10 to 18)")]
    assert (engaged["reach"], engaged["withheld"]) == (150, 1)
    assert matrix.loc[("safe", "early years (to 5)")].tolist() == [0, 0, 0, 0]


def test_a_programme_that_names_two_figures_reaches_its_children_once(index: IndexResult) -> None:
    lines = [
        programme(),
        programme(indicator="phonics_y1"),
        programme(domain="healthy"),
        programme(stage="primary years"),
    ]
    result = portfolio(lines, index=index)
    matrix = result.matrix.set_index(["domain", "age_stage"])
    assert matrix.loc[("learning", "early years (to 5)"), "reach"] == 300
    assert result.places.set_index(["domain", "area_code"]).loc[("learning", HACKNEY), "reach"] == 600  # two stages
    assert "1 programme in 1 authority, reaching 600 children" in result.text


def test_need_is_that_of_the_index_and_nothing_experimental_is_judged(
    found: PortfolioResult, index: IndexResult
) -> None:
    rows = index.table[index.table["node_id"].eq("learning") & ~index.table["area_code"].isin([CITY, "E06000053"])]
    need = found.need.set_index("domain")
    assert need.loc["learning", "worse"] == rows["standing"].eq("below").sum()
    places = found.places.set_index(["domain", "area_code"])
    for line in found.table[found.table["domain"].eq("learning")].to_dict("records"):
        standing = rows.set_index("area_code").loc[line["area_code"], "standing"]
        assert line["standing"] == {"below": WORSE, "above": BETTER}.get(standing, "not clear")
    assert set(found.places.loc[found.places["domain"].eq("happy"), "standing"]) == {UNJUDGED}
    assert places.loc[("learning", CITY), "standing"] == UNJUDGED, "too few children"
    assert "Happy: programmes in 2 authorities. It is experimental, so no authority is judged on it." in found.text
    assert "contested" in found.text


def test_the_smallest_change_by_closed_form() -> None:
    """Bloom (1995): 1.645 + 0.842 standard errors for a 90 % interval and a chance of .8; two years have root two."""
    expected = (stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) * np.sqrt(2) * 1.5
    assert smallest_change(1.5, level=0.9, power=0.8) == pytest.approx(expected, rel=1e-12)  # the same formula


def test_the_smallest_change_is_seen_as_often_as_stated() -> None:
    """Two years drawn with that change between them: its interval leaves out 0 80 times in 100."""
    rng = np.random.default_rng(5)
    error, draws = 0.9, 200_000
    change = smallest_change(error, level=0.9, power=0.8)
    first, second = rng.normal(0, error, draws), rng.normal(change, error, draws)
    half = stats.norm.ppf(0.95) * np.sqrt(2) * error
    seen = np.abs(second - first) > half
    # three Monte Carlo errors of .8 in 200,000 are .0027; seen on the wrong side: less than one in 10,000
    assert seen.mean() == pytest.approx(0.8, abs=0.003)


def test_what_it_asks_of_those_reached_gives_the_change_of_all(observations: pd.DataFrame) -> None:
    """Children counted one by one: if the share among those reached rises so much, that of all rises by the change."""
    framework = load_framework()
    told = smallest_for("gld_pct", HACKNEY, reach=1200, observations=observations, framework=framework)
    cohort = round(told.cohort)
    counted = np.zeros(cohort)
    counted[: round(cohort * told.value / 100)] = 1.0
    np.random.default_rng(2).shuffle(counted)
    after = counted.copy()
    after[:1200] += told.among_reached / 100  # in expectation, child by child
    # one child of the rounded cohort is worth .03 points
    assert 100 * (after.mean() - counted.mean()) == pytest.approx(told.change, abs=0.03)
    assert told.verdict == IN_REACH
    row = observations.query("indicator_id == 'gld_pct' and area_code == @HACKNEY and group == 'all'").iloc[-1]
    assert (told.value, told.error, told.period) == (row["value"], row["se_total"], row["period"])


def test_what_no_child_reached_could_bring_is_said(observations: pd.DataFrame) -> None:
    framework = load_framework()

    def told(indicator: str, reach: float | None, place: str = HACKNEY) -> str:
        return smallest_for(indicator, place, reach=reach, observations=observations, framework=framework).verdict

    assert told("gld_pct", 20) == CANNOT  # would ask for more than all
    assert told("gld_pct", 2000) == IN_REACH
    assert told("persistent_absence", 30, KENT) == CANNOT  # lower is better, and it cannot fall below 0
    assert told("gld_pct", None) == told("gld_pct", 0) == NO_REACH
    assert told("mh_admissions_0_17", 100, CITY) == NO_FIGURE


def test_there_is_more_room_one_way_than_the_other(observations: pd.DataFrame) -> None:
    """Of a share of some 70 % that is to rise, what asks for 45 points more cannot be; one that is to fall could."""
    framework = load_framework()
    given = {"observations": observations, "framework": framework}
    found = smallest_for("gld_pct", HACKNEY, reach=1000, **given)
    narrow = found.change / 45 * found.cohort  # so few that it takes 45 points among them
    told = smallest_for("gld_pct", HACKNEY, reach=narrow, **given)
    assert told.among_reached == pytest.approx(45)
    assert 100 - told.value < 45 < told.value
    assert told.verdict == CANNOT
    falls = framework.indicator("gld_pct").model_copy(update={"direction": -1})
    turned = framework.model_copy(
        update={"indicators": tuple(falls if i.id == "gld_pct" else i for i in framework.indicators)}
    )
    assert (
        smallest_for("gld_pct", HACKNEY, reach=narrow, observations=observations, framework=turned).verdict == IN_REACH
    )


def test_more_reached_than_there_are_is_marked_and_counts_as_all(index: IndexResult) -> None:
    row = portfolio([programme(reach=50_000)], index=index).table.iloc[0]
    assert row["mind"] == "more children reached than are behind the figure"
    assert (row["share"], row["among_reached"]) == (1.0, row["change"])


# ------------------------------------------------------------------------------------------------ the file


@pytest.fixture
def checked(tmp_path: Path) -> Callable[[str | bytes], FileReport]:
    def make(content: str | bytes) -> FileReport:
        path = tmp_path / "mine.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return check_portfolio(path)[0]

    return make


CASES: dict[str, tuple[str, str]] = {
    "domain": ("one,wealth,early years,Hackney,30,", "column domain: a domain that is not one of the framework's"),
    "stage": ("one,safe,toddlers,Hackney,30,", "column age_stage: an age stage that is not known"),
    "place": ("one,safe,early years,Hackny,30,", "column place: a name of no area in England, in 1 row (2 (Hackney?))"),
    "code": ("one,safe,early years,E09999999,30,", "column place: a code of no area in England"),
    "district": ("one,safe,early years,Harlow,30,", "column place: a place that is no upper-tier authority"),
    "former": ("one,safe,early years,Cumbria,30,", "column place: an area that was merged or split"),
    "few": ("one,safe,early years,Hackney,9,", "column reach: a reach of 1 to 9"),
    "negative": ("one,safe,early years,Hackney,-30,", "column reach: a negative count"),
    "part": ("one,safe,early years,Hackney,30.5,", "column reach: a count that is not whole"),
    "thousands": ('one,safe,early years,Hackney,"1,200",', "column reach: a comma within a number"),
    "word": ("one,safe,early years,Hackney,many,", "column reach: no number"),
    "huge": ("one,safe,early years,Hackney,99999999999,", "column reach: no number"),
    "indicator": ("one,safe,early years,Hackney,30,nothing", "column indicator: an indicator that is not known"),
    "formula": ("=cmd|' /C calc'!A0,safe,early years,Hackney,30,", "column programme: a formula"),
    "pupil": ("A123456789012,safe,early years,Hackney,30,", "unique pupil number in 1 row"),
    "postcode": ("one,safe,early years,E8 1EA,30,", "postcode in 1 row"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_told_with_row_column_and_remedy(case: str, checked: Callable[..., FileReport]) -> None:
    line, said = CASES[case]
    report = checked(f"{HEAD}{line}\n")
    assert len(report.faults) == 1, report.text
    assert said in report.faults[0]
    assert report.faults[0].count(". ") >= 1  # a remedy follows
    cells = [c for c in line.replace('"', "").split(",") if len(c) > 5 and c not in ("early years", "Hackney")]
    assert not any(cell in report.text for cell in cells)


def test_a_list_of_children_is_refused(checked: Callable[..., FileReport]) -> None:
    each = "".join(f"child {k},safe,early years,Hackney,1,\n" for k in range(6))
    assert "Is each line a child?" in checked(HEAD + each).text
    named = "programme,domain,age_stage,place,reach,surname\none,safe,early years,Hackney,30,Example\n"
    assert "person's name" in checked(named).text
    assert "Example" not in checked(named).text


def test_places_domains_and_stages_in_the_ways_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "\ufeffProject,Domain,Stage,Authority,Reach\r\none,Learning,0-5,hackney london borough,[c]\r\n"
        'one,safe: children are safe,Early Years,204,30\r\none,safe,all,"Kingston upon Hull, City of",0\r\n',
        encoding="utf-8",
    )
    lines = load_portfolio(path)
    assert [(p.domain, p.stage, p.place, p.reach) for p in lines] == [
        ("learning", "early years", HACKNEY, None),
        ("safe", "early years", HACKNEY, 30),
        ("safe", "several stages", "E06000010", 0),
    ]


def test_the_worked_example_is_valid_and_invented() -> None:
    report, lines = check_portfolio(EXAMPLE)
    assert report.text == "example_portfolio.csv is valid: 9 programmes in places."
    assert all(p.name.startswith("Example:") for p in lines)
    with pytest.raises(SourceError, match="cannot be read"):
        load_portfolio("nowhere.csv")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda s: (HEAD + s).encode("utf-8", "replace")))
def test_whatever_is_in_a_file_it_is_a_report(content: bytes, checked: Callable[..., FileReport]) -> None:
    assert checked(content).text
