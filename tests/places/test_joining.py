"""Places made of districts: ranges and weighted means by hand, and nothing made where a district is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import load_register
from outcomes_analysis.errors import AreaError
from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling
from outcomes_analysis.observations.contract import COLUMNS
from outcomes_analysis.places import districts_of, joined_text, named_places, place_of_districts
from outcomes_analysis.wording import associational

EPPING, HARLOW, UTTLESFORD, ESSEX, ENGLAND = "E07000072", "E07000073", "E07000077", "E10000012", "E92000001"
Z = 1.6448536  # of 90 %


def made(id_: str, **more: object) -> Indicator:
    settings: dict[str, object] = {
        "id": id_, "name": f"Share {id_}", "definition": "X", "unit": "%", "direction": 1, "outcome": "o",
        "form": "proportion", "age_stage": "5", "geography_basis": "residence", "base_period": "2024",
        "source": "s", "decimals": 1, "cannot_tell": "Much.", "sampling": Sampling(model="none"),
    }  # fmt: skip
    return Indicator(**(settings | more))


@pytest.fixture
def framework() -> Framework:
    nodes = (
        Node(id="learning", label="Learning", kind="domain"),
        Node(id="o", label="o", kind="outcome", parent="learning"),
    )
    indicators = (
        made("full"),
        made("unsure", sampling=Sampling(model="wilson")),
        made("above"),
        made("gap"),
        made("late"),
        made("county"),
        made("nowhere"),
    )
    return Framework(
        id="t", label="T", version="1", date="2026-01-01", source_url="", notice="Not official statistics.",
        nodes=nodes, indicators=indicators,
    )  # fmt: skip


def rows(indicator: str, year: int, **values: float) -> list[dict[str, object]]:
    codes = {"epping": EPPING, "harlow": HARLOW, "uttlesford": UTTLESFORD, "essex": ESSEX, "england": ENGLAND}
    return [
        {
            "indicator_id": indicator, "area_code": codes[place], "period": str(year), "group_type": "all", "group": "all",
            "period_start": pd.Timestamp(f"{year}-01-01"), "period_end": pd.Timestamp(f"{year}-12-31"), "value": value,
            "se_total": 2.0, "status": "published" if np.isfinite(value) else "suppressed", "flags": "", "source_id": "s",
        }
        for place, value in values.items()
    ]  # fmt: skip


@pytest.fixture
def figures() -> pd.DataFrame:
    table = [
        *rows("full", 2024, epping=50, harlow=60, uttlesford=80, essex=65, england=62),
        *rows("unsure", 2024, epping=50, harlow=60, uttlesford=80, england=90),
        *rows("above", 2024, epping=64, harlow=66, uttlesford=68, england=63),
        *rows("gap", 2024, epping=50, harlow=np.nan, uttlesford=80, essex=65, england=62),
        # the newest year lacks one: the year before has all
        *rows("late", 2023, epping=40, harlow=41, uttlesford=42, england=41.5),
        *rows("late", 2024, epping=50, uttlesford=60, england=55),
        *rows("county", 2024, essex=65, england=62),
        *rows("nowhere", 2024, england=62),
    ]
    frame = pd.DataFrame(table)
    return frame.assign(**{c: np.nan for c in COLUMNS if c not in frame})


def test_a_range_without_weights(framework, figures):
    place = place_of_districts("West Essex", observations=figures, framework=framework)
    table = place.table.set_index("indicator_id")
    assert table["status"].to_dict() == {
        "full": "range", "unsure": "range", "above": "range", "gap": "partial", "late": "range",
        "county": "county only", "nowhere": "none",
    }  # fmt: skip
    assert table["value"].isna().all()
    assert table.loc["full", ["lowest", "highest", "england", "county"]].tolist() == [50, 80, 62, 65]
    assert table["position"].to_dict() == {
        "full": "across", "unsure": "below", "above": "above", "gap": "", "late": "across", "county": "", "nowhere": "",
    }  # fmt: skip
    assert table.loc["late", "period"] == "2023"
    assert table.loc["late", "england"] == 41.5
    assert place.values.loc["gap"].dropna().to_dict() == {EPPING: 50, UTTLESFORD: 80}


def test_an_estimate_with_weights_by_hand(framework, figures):
    place = place_of_districts("West Essex", weights=[20, 10, 10], observations=figures, framework=framework)
    table = place.table.set_index("indicator_id")
    # (2 x 50 + 60 + 80) / 4; errors of 2 weighted .5, .25, .25: 2 x sqrt(.375)
    assert table.loc["full", "value"] == pytest.approx(60)
    half = Z * 2 * np.sqrt(0.375)
    assert table.loc["full", ["lower", "upper"]].tolist() == pytest.approx([60 - half, 60 + half], abs=1e-5)
    # its sampling errors are not known, so neither is how sure the estimate is
    assert table.loc["unsure", "value"] == pytest.approx(60)
    assert np.isnan(table.loc["unsure", "lower"])
    by_name = {"Harlow": 10, "uttlesford": 10, EPPING: 20}
    same = place_of_districts("West Essex", weights=by_name, observations=figures, framework=framework)
    pd.testing.assert_frame_equal(place.table, same.table)


def test_an_estimate_lies_within_its_range_whatever_the_weights(framework, figures):
    rng = np.random.default_rng(5)
    for _ in range(20):
        weights = rng.uniform(0.01, 10, 3)
        table = place_of_districts("West Essex", weights=weights, observations=figures, framework=framework).table
        made_of = table[table["status"].eq("estimated")]
        assert len(made_of) == 4
        assert (made_of["value"] >= made_of["lowest"]).all()
        assert (made_of["value"] <= made_of["highest"]).all()


def test_nothing_is_made_where_a_district_is_held_back(framework, figures):
    """With the county and the others published, a figure for the whole would give the hidden district away."""
    for weights in (None, [20, 10, 10]):
        place = place_of_districts("West Essex", weights=weights, observations=figures, framework=framework)
        gap = place.table.set_index("indicator_id").loc["gap"]
        assert gap[["value", "lower", "upper", "lowest", "highest"]].isna().all()
        assert "share gap" not in place.text.split("Published for some")[0]
        assert "nothing is made of them for West Essex, 1: share gap." in place.text


def test_the_text(framework, figures):
    place = place_of_districts("West Essex", observations=figures, framework=framework)
    associational(place.text)
    assert "West Essex is made of Epping Forest, Harlow and Uttlesford, districts of Essex." in place.text
    assert "4 of 7 indicators are published for all 3 of them" in place.text
    assert "1 exist for Essex as a whole only, which is not West Essex" in place.text
    assert "Every district above England, 1:\n- share above (64.0% to 68.0% in 2024, England 63.0%)" in place.text
    shown = joined_text(place)
    assert max(map(len, shown.splitlines())) <= 100
    line = next(x for x in shown.splitlines() if x.startswith("Share gap"))
    assert line.split()[-5:] == ["50.0", "[c]", "80.0", "65.0", "62.0"]
    apart = replace(place, table=place.table.assign(england=float("nan")))
    line = next(x for x in joined_text(apart).splitlines() if x.startswith("Share gap"))
    assert line.split()[-1] == "[x]"  # a missing number is never a blank
    assert joined_text(apart).rstrip().splitlines()[-1] == "[x] not available"
    many = ["Epping Forest", "Harlow", "Uttlesford", "Braintree", "Tendring", "Maldon"]
    wide = joined_text(place_of_districts("Six", many, observations=figures, framework=framework))
    assert max(map(len, wide.splitlines())) <= 100


def test_named_places_are_made_of_districts_of_today():
    register = load_register()
    for _, row in named_places().iterrows():
        codes = districts_of(row["name"])
        assert len(codes) >= 2
        assert set(register.loc[list(codes), "tier"]) == {"lower"}
        assert register.loc[list(codes), "canonical"].all()
        assert row["source"]
    assert districts_of("WEST  essex") == (EPPING, HARLOW, UTTLESFORD)
    assert districts_of("Essex") == ()


@pytest.mark.parametrize(
    ("districts", "weights", "said"),
    [
        (["Harlow"], None, "name at least 2"),
        (["Harlow", "harlow district council"], None, "name at least 2"),
        (["Harlow", "Essex"], None, "Essex: a county is made of districts already"),
        (["Harlow", "Narnia"], None, "No area in England"),
        ([], None, "'Nowhere' is not a place made of districts"),
        (["Harlow", "Uttlesford"], [1.0], "1 given for 2 districts"),
        (["Harlow", "Uttlesford"], [1.0, 0.0], "one positive number for each"),
        (["Harlow", "Uttlesford"], {"Harlow": 1.0}, "one positive number for each"),
    ],
)
def test_refusals(framework, figures, districts, weights, said):
    with pytest.raises(AreaError, match=said):
        place_of_districts("Nowhere", districts, weights=weights, observations=figures, framework=framework)


def counted(indicator: str, year: int, **cells: tuple[float, float]) -> list[dict[str, object]]:
    """Rows from (children with the outcome, children)."""
    made_rows = rows(indicator, year, **{place: 100 * n / of for place, (n, of) in cells.items()})
    return [
        row | {"numerator": n, "denominator": of, "status": "published" if np.isfinite(n) else "suppressed"}
        for row, (n, of) in zip(made_rows, cells.values(), strict=True)
    ]


def test_a_figure_from_counts_by_hand(framework, figures):
    cells = {"epping": (40, 100), "harlow": (90, 300), "uttlesford": (120, 200), "essex": (500, 1000)}
    table = pd.concat([figures, pd.DataFrame(counted("county", 2024, **cells))], ignore_index=True)
    for weights in (None, [1, 1, 8]):  # the children counted are known: given numbers are not asked
        place = place_of_districts("West Essex", weights=weights, observations=table, framework=framework)
        row = place.table.set_index("indicator_id").loc["county"]
        assert row["status"] == "counted"
        assert row["value"] == pytest.approx(100 * 250 / 600)  # (40 + 90 + 120) of (100 + 300 + 200)
        shares = np.array([100, 300, 200]) / 600
        assert row["upper"] - row["value"] == pytest.approx(Z * 2 * np.sqrt((shares**2).sum()), abs=1e-5)
    assert "from the numbers of children published with its districts' figures" in place.text


@pytest.mark.parametrize(
    ("hidden", "told", "status"),
    [
        ("essex", {"epping", "harlow", "uttlesford"}, "range"),  # the sum of districts would be part of a hidden figure
        ("harlow", {"epping"}, "partial"),  # and the smaller of the others goes too: the county's less them is Harlow's
        ("braintree", {"harlow", "uttlesford"}, "partial"),  # hidden elsewhere in the county: the smallest goes
    ],
)
def test_a_suppressed_figure_takes_another_with_it(framework, figures, hidden, told, status):
    cells = {"epping": (40, 100), "harlow": (90, 300), "uttlesford": (39, 200), "essex": (500, 1000)}
    if hidden == "braintree":
        cells |= {"epping": (38, 100)}
    if hidden == "essex":
        cells |= {"uttlesford": (15, 200)}
    table = pd.DataFrame(counted("county", 2024, **cells))
    if hidden == "braintree":
        extra = table.iloc[:1].assign(area_code="E07000067", value=np.nan, numerator=np.nan, status="suppressed")
        table = pd.concat([table, extra], ignore_index=True)
    else:
        at = table["area_code"].eq({"essex": ESSEX, "harlow": HARLOW}[hidden])
        table.loc[at, ["value", "numerator"]] = np.nan
        table.loc[at, "status"] = "suppressed"
    if hidden == "essex":
        told = {"harlow", "uttlesford"}  # the smallest with ample counts; fifteen of two hundred are not
        status = "partial"
    table = pd.concat([figures, table], ignore_index=True)
    place = place_of_districts("West Essex", weights=[1, 1, 1], observations=table, framework=framework)
    names = {EPPING: "epping", HARLOW: "harlow", UTTLESFORD: "uttlesford"}
    assert {names[c] for c in place.values.loc["county"].dropna().index} == told
    row = place.table.set_index("indicator_id").loc["county"]
    assert row["status"] == status
    assert np.isnan(row["value"])
    assert place.symbols.loc["county"].map(lambda s: s == "suppressed").sum() == 3 - len(told)


def test_no_sum_beside_a_county_with_something_hidden(framework, figures):
    """Epping, Harlow and Uttlesford are told and enough else is hidden, so their sum alone would narrow what is."""
    cells = {"epping": (40, 100), "harlow": (90, 300), "uttlesford": (120, 200), "essex": (500, 1000)}
    table = pd.DataFrame(counted("county", 2024, **cells))
    more = [
        table.iloc[:1].assign(area_code="E07000067", value=np.nan, numerator=np.nan, status="suppressed"),
        table.iloc[:1].assign(area_code="E07000069", value=21.0, numerator=21.0),  # the smallest that is ample
    ]
    table = pd.concat([figures, table, *more], ignore_index=True)
    place = place_of_districts("West Essex", weights=[1, 1, 1], observations=table, framework=framework)
    row = place.table.set_index("indicator_id").loc["county"]
    assert row["status"] == "range"
    assert row["withheld"]
    assert np.isnan(row["value"])
    assert "1 figure is not made for West Essex, because a figure elsewhere in its county is suppressed" in place.text


def test_a_pooled_figure_goes_with_the_year_that_is_hidden(framework, figures):
    cells = {"epping": (40, 100), "harlow": (90, 300), "uttlesford": (120, 200)}
    pooled = pd.DataFrame(counted("county", 2023, **cells)).assign(
        period="2022 to 2024", period_start=pd.Timestamp("2022-01-01"), period_end=pd.Timestamp("2024-12-31")
    )
    single = pd.DataFrame(counted("county", 2024, **cells))
    at = single["area_code"].eq(HARLOW)
    single.loc[at, ["value", "numerator"]] = np.nan
    single.loc[at, "status"] = "suppressed"
    table = pd.concat([figures, pooled, single], ignore_index=True)
    place = place_of_districts("West Essex", observations=table, framework=framework)
    assert HARLOW not in place.values.loc["county"].dropna().index
    alone = place_of_districts("West Essex", observations=pd.concat([figures, pooled], ignore_index=True),
                               framework=framework)  # fmt: skip
    assert alone.table.set_index("indicator_id").loc["county", "status"] == "counted"
