"""The equity twin by hand: gaps, their errors, the weights of a domain, and where no twin can be made."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling
from outcomes_analysis.observations.contract import COLUMNS
from outcomes_analysis.places import equity_twin
from outcomes_analysis.wording import associational

HERE, ENGLAND = "E09000012", "E92000001"
Z = 1.6448536  # of 90 %


def made(id_: str, outcome: str, **more: object) -> Indicator:
    settings: dict[str, object] = {
        "id": id_, "name": f"Share {id_}", "definition": "X", "unit": "%", "direction": 1, "outcome": outcome,
        "form": "proportion", "age_stage": "all", "geography_basis": "residence", "base_period": "2024/25",
        "source": "s", "decimals": 1, "cannot_tell": "Much.", "sampling": Sampling(model="none"), "max_age": 3,
    }  # fmt: skip
    return Indicator(**(settings | more))


@pytest.fixture
def framework() -> Framework:
    """Two domains; learning has a pair of near-duplicates and a third indicator in another outcome."""
    nodes = [
        Node(id="learning", label="Learning", kind="domain"),
        Node(id="early", label="Early", kind="outcome", parent="learning"),
        Node(id="late", label="Late", kind="outcome", parent="learning"),
        Node(id="safe", label="Safe", kind="domain"),
        Node(id="unhurt", label="Unhurt", kind="outcome", parent="safe"),
    ]
    indicators = (
        made("a", "early", doublet="pair"),
        made("b", "early", doublet="pair"),
        made("c", "late", direction=-1),
        made("d", "unhurt"),
    )
    return Framework(
        id="t", label="T", version="1", date="2026-01-01", source_url="", notice="", nodes=tuple(nodes),
        indicators=indicators,
    )  # fmt: skip


def rows(indicator: str, area: str, group: tuple[str, str], value: float, error: float) -> dict[str, object]:
    return {
        "indicator_id": indicator, "area_code": area, "period": "2024/25", "group_type": group[0], "group": group[1],
        "period_start": pd.Timestamp("2024-09-01"), "period_end": pd.Timestamp("2025-08-31"), "value": value,
        "se_sampling": error, "se_total": error, "status": "published", "flags": "", "source_id": "s",
    }  # fmt: skip


ALL, FSM, OTHER = ("all", "all"), ("fsm", "eligible"), ("fsm", "not_eligible")


@pytest.fixture
def figures() -> pd.DataFrame:
    """All children of 40 authorities spread by exactly one standard deviation of 10 about 50, and groups of two places."""
    others = [c for c in upper_tier(ranked_only=True).index if c != HERE][:40]
    spread = np.repeat([-1.0, 1.0], 20)
    spread = 50 + 10 * spread / spread.std(ddof=1)
    table = [rows(i, code, ALL, x, 1.0) for i in "abcd" for code, x in zip(others, spread, strict=True)]
    for i in "abcd":
        # the place's own figure would move the spread: its all-children rows stand at the mean
        table += [rows(i, HERE, ALL, 50, 1.0), rows(i, ENGLAND, ALL, 50, 0.0)]
    for i, here, england in (("a", 30, 38), ("b", 34, 38), ("c", 66, 62)):
        table += [rows(i, HERE, FSM, here, 2.0), rows(i, ENGLAND, FSM, england, 0.0)]
    for i in "ab":
        table += [rows(i, HERE, OTHER, 60, 1.5), rows(i, ENGLAND, OTHER, 60, 0.0)]
    frame = pd.DataFrame(table)
    for column in COLUMNS:
        if column not in frame:
            frame[column] = np.nan
    return frame


def one(table: pd.DataFrame, **where: str) -> pd.Series:
    for column, value in where.items():
        table = table[table[column].eq(value)]
    assert len(table) == 1
    return table.iloc[0]


def test_gaps_by_hand(framework, figures):
    twin = equity_twin(HERE, observations=figures, framework=framework)
    a = one(twin.table, indicator_id="a", group="eligible")
    # beside the other children, 30 - 60, errors 2 and 1.5 together 2.5; England 38 - 60
    assert (a["beside"], a["estimate"], a["england_gap"]) == ("children without free school meals", -30, -22)
    assert (a["gap_lower"], a["gap_upper"]) == pytest.approx((-30 - 2.5 * Z, -30 + 2.5 * Z), abs=1e-5)
    assert a["distance"] == pytest.approx(-8 / 2.5)
    assert a["clear"] == "wider"
    # c has no other children published: beside all, 66 - 50, errors 2 and 1; lower is better, so it is wider
    c = one(twin.table, indicator_id="c", group="eligible")
    assert (c["beside"], c["estimate"], c["england_gap"]) == ("all children", 16, 12)
    assert c["distance"] == pytest.approx(-4 / np.sqrt(5))
    b = one(twin.table, indicator_id="b", group="eligible")
    assert b["distance"] == pytest.approx(-4 / 2.5)


def test_a_domain_beside_its_twin_by_hand(framework, figures):
    twin = equity_twin(HERE, observations=figures, framework=framework)
    learning = one(twin.domains, node_id="learning", group="eligible")
    # forty authorities and the place at 50: sd = sqrt(100 x 39 / 40)
    unit = np.sqrt(100 * 39 / 40)
    # early: the pair once, (-20 - 16) / 2 = -18; late, lower being better, -16; the two outcomes alike: -17
    assert learning["these_children"] == pytest.approx(-17 / unit)
    assert learning["all_children"] == pytest.approx(0)
    assert learning["estimate"] == pytest.approx(-17 / unit)
    # each gap to all children has error sqrt(5); the pair moves together (half of sqrt 5), the other apart
    half = Z * np.sqrt(2 * (0.5 * np.sqrt(5)) ** 2) / unit
    assert (learning["lower"], learning["upper"]) == pytest.approx((-17 / unit - half, -17 / unit + half), abs=1e-5)
    assert learning["england_gap"] == pytest.approx(-12 / unit)
    assert (learning["indicators"], learning["strands"], learning["of"]) == (3, 2, 3)
    assert (learning["against_england"], learning["status"]) == ("wider", "computed")
    assert "- Learning, children with free school meals: −1.7, −2.0 to −1.5 (90% interval); England −1.2" in twin.text


def test_whether_the_group_or_those_beside_it_differ_from_england(framework, figures):
    """A gap is wide because the others do better, or because the group does worse: each is set beside its own like."""
    twin = equity_twin(HERE, observations=figures, framework=framework)
    a = one(twin.table, indicator_id="a", group="eligible")
    # these 30 against 38, error 2: worse; the others 60 against 60
    assert (a["england_value"], a["england_beside"]) == (38, 60)
    assert a["distance_group"] == pytest.approx(-4.0)
    assert (a["standing_group"], a["standing_beside"]) == ("below", "not clear")
    assert "share a, children with free school meals (30.0% in 2024/25, England 38.0%: clearly worse; " in twin.text
    assert "children without free school meals 60.0%, England 60.0%: not clear; gap −30.0" in twin.text
    others = figures.copy()
    mine = others["indicator_id"].eq("a") & others["area_code"].eq(HERE)
    others.loc[mine & others["group"].eq("eligible"), "value"] = 38
    others.loc[mine & others["group"].eq("not_eligible"), "value"] = 70
    twin = equity_twin(HERE, observations=others, framework=framework)
    a = one(twin.table, indicator_id="a", group="eligible")
    assert (a["clear"], a["standing_group"], a["standing_beside"]) == ("wider", "not clear", "above")
    assert (
        "England 38.0%: not clear; children without free school meals 70.0%, England 60.0%: clearly better" in twin.text
    )
    # c, lower better: 66 against 62 is higher, and worse
    assert one(twin.table, indicator_id="c", group="eligible")["standing_group"] == "above"
    # the domain: these children's score -17 / unit against England's -12 / unit, errors of 2 each
    learning = one(
        equity_twin(HERE, observations=figures, framework=framework).domains, node_id="learning", group="eligible"
    )
    assert learning["these_against"] == "worse"
    assert (
        "; these children clearly worse than the same children in England (3 of 3"
        in equity_twin(HERE, observations=figures, framework=framework).text
    )


def test_the_number_of_twins_is_allowed_for(framework, figures):
    """A difference of 2.85 from England over its error of 1.58: p is .07, clear alone and not beside a second twin."""
    table = figures.copy()
    mine = table["area_code"].eq(HERE) & table["group"].eq("eligible")
    for indicator, value in (("a", 34.0), ("c", 63.7)):
        table.loc[mine & table["indicator_id"].eq(indicator), "value"] = value
    second = [
        rows(i, area, ("disadvantage", "disadvantaged"), value, 2.0 if area == HERE else 0.0)
        for i, value in (("a", 38), ("b", 38), ("c", 62))
        for area in (HERE, ENGLAND)
    ]
    both = pd.concat([table, pd.DataFrame(second)], ignore_index=True)
    for observations, said in ((table, "wider"), (both, "not clear (many compared)")):
        twin = equity_twin(HERE, observations=observations, framework=framework)
        learning = one(twin.domains, node_id="learning", group="eligible")
        assert learning["distance"] == pytest.approx(-2.85 / np.sqrt(2.5))
        assert learning["against_england"] == said
        assert f"; England −1.2, {'clearly wider' if said == 'wider' else said}; " in twin.text


def test_what_is_too_unsure_is_withheld(framework, figures):
    """Ten usual distances are 98.7: 2 x 1.645 x sqrt(29.9^2 + 1.5^2) = 98.5 just passes, with 31 it is 102.1."""
    mine = figures["area_code"].eq(HERE) & figures["group"].eq("eligible")
    for error, passes in ((29.9, True), (31.0, False)):
        table = figures.copy()
        table.loc[mine & table["indicator_id"].eq("a"), "se_total"] = error
        a = one(equity_twin(HERE, observations=table, framework=framework).table, indicator_id="a", group="eligible")
        assert np.isfinite(a["estimate"]) == passes
        assert ("too unsure" in a["reason"]) == (not passes)
    # the domain: c counts for half, 2 x 1.645 x 0.5 x sqrt(x^2 + 1) beside the pair's 0.5 x sqrt(5)
    for error, passes in ((59.0, True), (61.0, False)):
        table = figures.copy()
        table.loc[mine & table["indicator_id"].eq("c"), "se_total"] = error
        twin = equity_twin(HERE, observations=table, framework=framework)
        learning = one(twin.domains, node_id="learning", group="eligible")
        assert np.isfinite(learning["estimate"]) == passes
        assert ("more than ten times the usual distance between authorities" in twin.text) == (not passes)


def test_no_twin_on_one_indicator_or_none(framework, figures):
    """Near-duplicates alone are one indicator; a domain without any says so."""
    alone = figures[~(figures["indicator_id"].eq("c") & figures["group_type"].eq("fsm"))]
    twin = equity_twin(HERE, observations=alone, framework=framework)
    learning = one(twin.domains, node_id="learning", group="eligible")
    assert learning["status"] == "no twin"
    assert learning["reason"] == "one indicator alone, near-duplicates counted once (share a; share b)"
    assert np.isnan(learning["estimate"])
    safe = one(twin.domains, node_id="safe", group="eligible")
    assert (safe["status"], safe["reason"]) == ("no twin", "nothing in it is published for these children")
    assert "No twin can be made of Safe" in equity_twin(HERE, observations=figures, framework=framework).text
    none = equity_twin(HERE, observations=figures[figures["group_type"].eq("all")], framework=framework)
    assert none.text == "No figure for groups of children is published for Hackney, so no equity twin can be made."


def test_a_gap_is_withheld_with_its_reason(framework, figures):
    mine = figures["indicator_id"].eq("a") & figures["area_code"].eq(HERE) & figures["group"].eq("eligible")
    for change, reason in (
        ({"status": "inherited"}, "authority this place was part of"),
        ({"se_sampling": 12.0}, "fewer than 30 children behind it"),
        ({"value": np.nan, "status": "suppressed"}, "suppressed by the publisher"),
        ({"flags": "low_reliability"}, "low reliability"),
    ):
        changed = figures.copy()
        for column, value in change.items():
            changed.loc[mine, column] = value
        twin = equity_twin(HERE, observations=changed, framework=framework)
        a = one(twin.table, indicator_id="a", group="eligible")
        assert reason in a["reason"]
        assert np.isnan(a["estimate"])
        assert a["clear"] == ""
        # what is withheld is in no domain either
        assert one(twin.domains, node_id="learning", group="eligible")["indicators"] == 2


def test_too_few_children_have_no_twin(framework, figures):
    city = figures.assign(area_code=figures["area_code"].replace(HERE, "E09000001"))
    text = equity_twin("City of London", observations=city, framework=framework).text
    assert text.startswith("No equity twin can be made for City of London: too few children")


def test_disputed_gaps_are_more_or_fewer(framework, figures):
    disputed = [
        i.model_copy(update={"contested": "More can be better found."}) if i.id == "a" else i
        for i in framework.indicators
    ]
    wide = framework.model_copy(update={"indicators": tuple(disputed)})
    twin = equity_twin(HERE, observations=figures, framework=wide)
    assert one(twin.table, indicator_id="a", group="eligible")["clear"] == "fewer"
    assert "share a" not in twin.text


def test_text_makes_no_causal_claim_and_inputs_stay(framework, figures):
    before = figures.copy()
    twin = equity_twin(HERE, observations=figures, framework=framework)
    associational(twin.text)
    pd.testing.assert_frame_equal(figures, before)
    again = equity_twin(HERE, observations=figures, framework=framework)
    pd.testing.assert_frame_equal(twin.domains, again.domains)
    assert twin.manifest == again.manifest
