"""COINr's iMeta read as a framework: the ASEM example, its lineage and weights, back again, and every fault."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outcomes_analysis as oa
from outcomes_analysis.errors import FrameworkError, ObservationsError
from outcomes_analysis.framework import coinr_weights, from_coinr, split_coinr, to_coinr


@pytest.fixture(scope="module")
def imeta(gold):
    return pd.read_csv(gold / "coinr" / "00_in_asem_imeta.csv")


@pytest.fixture(scope="module")
def asem(imeta):
    return from_coinr(imeta)


def table(*rows):
    return pd.DataFrame(rows, columns=["iCode", "Type", "Parent", "Direction"])


def lineage_of(framework, code):
    path, at = [], framework.indicator(code).outcome
    while at is not None:
        path.append(at)
        at = framework.node(at).parent
    return path


def test_the_lineage_is_coinrs(asem, gold):
    expected = pd.read_csv(gold / "coinr" / "01_coin_lineage.csv").set_index("Indicator")
    assert len(expected) == len(asem.indicators) == 49
    for code, row in expected.iterrows():
        assert lineage_of(asem, code) == row.tolist()


def test_names_units_and_directions_come_along(asem, imeta):
    rows = imeta[imeta["Type"] == "Indicator"].set_index("iCode")
    assert [i.id for i in asem.indicators] == rows.index.tolist()
    for i in asem.indicators:
        assert (i.name, i.unit, i.direction) == tuple(rows.loc[i.id, ["iName", "Unit", "Direction"]])
    assert [n.id for n in asem.domains] == ["Index"]
    assert [n.id for n in asem.nodes][:3] == ["Index", "Conn", "Sust"]  # from the root down
    assert sum(i.direction == -1 for i in asem.indicators) == 14


def test_there_and_back_gives_the_same_rows(asem, imeta):
    kept = imeta[imeta["Type"].isin(["Indicator", "Aggregate"])].reset_index(drop=True)
    back = to_coinr(asem, weights=coinr_weights(imeta))
    for column in back.columns:
        pd.testing.assert_series_equal(
            back[column], kept[column].astype(back[column].dtype), check_names=False, obj=column
        )


def test_weights_are_a_mapping_by_code(imeta, gold):
    varied = pd.read_csv(gold / "coinr" / "08_agg_weights_varied.csv").set_index("iCode")["Weight"]
    with_weights = imeta.assign(Weight=imeta["iCode"].map(varied))
    assert coinr_weights(with_weights) == varied.to_dict()
    with pytest.raises(FrameworkError, match=r"1 weights are negative \(Goods\)"):
        coinr_weights(with_weights.assign(Weight=with_weights["Weight"].where(imeta["iCode"] != "Goods", -1)))
    with pytest.raises(FrameworkError, match=r"1 codes have no weight .*\(FDI\)"):
        coinr_weights(with_weights.assign(Weight=with_weights["Weight"].where(imeta["iCode"] != "FDI")))
    nothing = imeta.assign(Weight=imeta["Weight"].where(imeta["Parent"] != "Political", 0))
    with pytest.raises(FrameworkError, match="everything below Political weighs 0"):
        coinr_weights(nothing)


def test_idata_comes_apart_by_type(imeta, gold):
    idata = pd.read_csv(gold / "coinr" / "00_in_asem_idata.csv")
    parts = split_coinr(idata, imeta)
    raw = pd.read_csv(gold / "coinr" / "01_coin_1_raw.csv").set_index("uCode")
    pd.testing.assert_frame_equal(parts.values.loc[raw.index, raw.columns], raw, check_dtype=False)
    assert parts.denominators.columns.tolist() == ["Area", "Energy", "GDP", "Population"]
    assert parts.groups.shape == (51, 4)
    assert parts.names["GBR"] == "United Kingdom"
    with pytest.raises(ObservationsError, match=r"1 units appear more than once \(AUT\)[\s\S]*no columns \(LPI\)"):
        split_coinr(pd.concat([idata, idata[idata["uCode"] == "AUT"]]).drop(columns="LPI"), imeta)
    panel = pd.read_csv(gold / "coinr" / "00_in_asem_idata_panel.csv")
    assert split_coinr(panel, imeta).values.index.names == ["uCode", "Time"]


def test_an_unbalanced_tree_is_welcome():
    """COINr refuses it: there each parent stands exactly one level up."""
    tree = table(
        ("x1", "Indicator", "deep", 1),
        ("x2", "Indicator", "top", -1),
        ("deep", "Aggregate", "middle", 1),
        ("middle", "Aggregate", "top", 1),
        ("top", "Aggregate", None, 1),
    )
    framework = from_coinr(tree)
    assert lineage_of(framework, "x1") == ["deep", "middle", "top"]
    assert lineage_of(framework, "x2") == ["top"]
    assert to_coinr(framework).set_index("iCode")["Level"].to_dict() == {
        "x1": 1,
        "x2": 1,
        "deep": 2,
        "middle": 3,
        "top": 4,
    }


def test_our_own_framework_in_coinrs_form():
    framework = oa.load_framework()
    written = to_coinr(framework)
    again = from_coinr(written)
    assert [d.id for d in again.domains] == [d.id for d in framework.domains]
    scored = [i for i in framework.indicators if i.outcome and i.direction]
    assert [(i.id, i.outcome, i.direction) for i in again.indicators] == [
        (i.id, i.outcome, i.direction) for i in scored
    ]
    assert set(written.loc[written["Type"] == "Other", "iCode"]) == {
        i.id for i in framework.indicators if not i.outcome or not i.direction
    }
    with pytest.raises(FrameworkError, match="1 weights are for codes outside the hierarchy: nowhere"):
        to_coinr(framework, weights={"nowhere": 1})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("x", "Indicator", "nowhere", 1), ("top", "Aggregate", "", 1)],
            "'x' hangs from 'nowhere', which is not there",
        ),
        ([("x", "Indicator", "tpo", 1), ("top", "Aggregate", "", 1)], "did you mean top"),
        (
            [("x", "Indicator", "top", 1), ("x", "Indicator", "top", 1), ("top", "Aggregate", "", 1)],
            r"more than once \(x\)",
        ),
        ([("x", "Indicator", "", 1), ("y", "Indicator", "top", 1), ("top", "Aggregate", "", 1)], r"no Parent \(x\)"),
        ([("x", "Indicator", "top", 0), ("top", "Aggregate", "", 1)], r"no Direction of 1 or -1 \(x\)"),
        ([("x", "Indicator", "top", 1), ("top", "Aggregate", "", -1)], r"1 aggregates have Direction -1 \(top\)"),
        (
            [("x", "Indicator", "top", 1), ("y", "Indicator", "x", 1), ("top", "Aggregate", "", 1)],
            "which is an indicator",
        ),
        (
            [("x", "Indicator", "top", 1), ("top", "Aggregate", "", 1), ("t", "Aggregate", "top", 1)],
            r"nothing below them \(t\)",
        ),
        ([("x", "Indicator", "a", 1), ("a", "Aggregate", "b", 1), ("b", "Aggregate", "a", 1)], "circle: a < b < a"),
        ([("x", "indicator", "top", 1), ("top", "Aggregate", "", 1)], "unknown Type 'indicator'"),
    ],
)
def test_each_fault_is_named(rows, message):
    with pytest.raises(FrameworkError, match=message):
        from_coinr(table(*rows))


def test_columns_and_levels_are_checked(imeta):
    with pytest.raises(FrameworkError, match="2 columns are missing: Parent, Direction"):
        from_coinr(imeta.drop(columns=["Parent", "Direction"]))
    low = imeta.assign(Level=imeta["Level"].where(imeta["iCode"] != "Conn", 2))
    with pytest.raises(FrameworkError, match=r"'Physical' \(level 2\) below 'Conn' \(level 2\)"):
        from_coinr(low)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=12))
def test_any_tree_survives_the_way_there_and_back(choices):
    """Node k hangs from one of those before it; each childless node gets one indicator."""
    parents = {0: None} | {k: c % k for k, c in enumerate(choices[1:], start=1)}
    rows = [(f"n{k}", "Aggregate", None if p is None else f"n{p}", 1) for k, p in parents.items()]
    barren = [k for k in parents if k not in parents.values()]
    rows += [(f"x{k}", "Indicator", f"n{k}", 1 if k % 2 else -1) for k in barren]
    framework = from_coinr(table(*rows))
    again = from_coinr(to_coinr(framework))
    assert set(again.nodes) == set(framework.nodes)
    assert again.indicators == framework.indicators
