"""Tables of observations made straight from the publishers' files, without the package's own readers.

The reference numbers were measured on these files; going round the readers keeps a fault in a reader from hiding here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import to_area_code
from outcomes_analysis.framework.model import Break, Framework, Indicator, Node, Sampling
from outcomes_analysis.observations.contract import COLUMNS
from outcomes_analysis.observations.periods import parse_periods

__all__ = ["Break"]  # for the tests of one place

LAIT_ENGLAND, LAIT_FIRST_REGION = 970, 980
LAIT_REGIONS = {
    980: "E12000001", 981: "E12000002", 982: "E12000003", 983: "E12000004", 984: "E12000005",
    985: "E12000006", 986: "E12000007", 989: "E12000008", 990: "E12000009",
}  # fmt: skip
CUMBRIA, SUCCESSORS = "909", {"942": "E06000063", "943": "E06000064"}


def indicator(id_: str, name: str, unit: str, direction: int, **more: object) -> Indicator:
    """An indicator with only what a test of figures needs."""
    settings: dict[str, object] = {
        "definition": name,
        "form": "rate",
        "age_stage": "all",
        "geography_basis": "residence",
        "base_period": "2019",
        "source": "lait",
        "decimals": 1,
        "cannot_tell": "How single children fare.",
        "sampling": Sampling(model="none"),
        "valid_range": (0.0, 1_000_000.0),
        "per": 1.0,
    }
    return Indicator(id=id_, name=name, unit=unit, direction=direction, **(settings | more))


MH = indicator(
    "mh_admissions_0_17",
    "Hospital admissions for mental health conditions, under 18",
    "per 100,000",
    -1,
    contested="more admissions can mean more need or more beds.",
)
A8 = indicator("attainment8", "Average Attainment 8 score", "points", 1, form="mean", geography_basis="school")
GLD = indicator("gld_pct", "Good level of development at age 5", "%", 1, form="proportion", geography_basis="school")
CIN = indicator("cin_rate", "Children in need", "per 10,000", 0, geography_basis="responsible_authority")
BHC = indicator(
    "child_poverty_bhc", "Children in relative low income families (before housing costs)", "%", 0, tier="context"
)
AHC = indicator(
    "child_poverty_ahc", "Children in relative low income families (after housing costs)", "%", 0, tier="context"
)


def framework(*indicators: Indicator) -> Framework:
    """A framework of these indicators, all under one outcome."""
    return Framework(
        id="test", label="Test", version="1", date="2026-01-01", source_url="", notice="",
        nodes=(Node(id="learning", label="Learning", kind="domain"), Node(id="o", label="o", kind="outcome", parent="learning")),
        indicators=tuple(i.model_copy(update={"outcome": "" if i.tier == "context" else "o"}) for i in indicators),
    )  # fmt: skip


def tidy(frame: pd.DataFrame, *, indicator_id: str, kind: str, source: str) -> pd.DataFrame:
    """Fill up the columns of the contract from ``area_code, label, value``."""
    dated = parse_periods(frame["label"], kind=kind)
    table = frame.join(dated)
    table["indicator_id"] = indicator_id
    table["group_type"] = table["group"] = "all"
    table["published_code"] = table["area_code"]
    if "status" not in table:
        table["status"] = np.where(table["value"].notna(), "published", "not_available")
    table["source_id"] = source
    for column in COLUMNS:
        if column not in table:
            table[column] = np.nan
    return table[list(COLUMNS)].reset_index(drop=True)


def lait(mirror: Path, measure: str, *, indicator_id: str, kind: str, inherit: bool = True) -> pd.DataFrame:
    """One LAIT measure; Cumbria's figures also handed down to its two successors, as inherited."""
    table = pd.read_parquet(mirror / "dfe_lait" / "bds_long_0.parquet", filters=[("Short Desc", "==", measure)])
    table = table.assign(dfe=table["LA Number"].astype(int), value=pd.to_numeric(table["Values"], errors="coerce"))
    table = table.rename(columns={"Years": "label"})[["dfe", "label", "value"]]
    codes = table["dfe"].map({LAIT_ENGLAND: "E92000001", **LAIT_REGIONS})
    local = table["dfe"] < LAIT_ENGLAND
    codes[local] = to_area_code(table.loc[local, "dfe"].astype(str))
    table = table.assign(area_code=codes).dropna(subset=["area_code"]).reset_index(drop=True)
    obs = tidy(table[["area_code", "label", "value"]], indicator_id=indicator_id, kind=kind, source="lait")
    parent = obs[obs["area_code"].eq("E10000006") & obs["value"].notna()]
    if inherit and len(parent):
        down = pd.concat([parent.assign(area_code=code, status="inherited") for code in SUCCESSORS.values()])
        taken = obs.set_index(["area_code", "period"]).index.isin(down.set_index(["area_code", "period"]).index)
        obs = pd.concat([obs[~taken], down], ignore_index=True)
    return obs


def poverty(mirror: Path, housing: str) -> pd.DataFrame:
    """Child poverty before or after housing costs, from ONS Explore Local Statistics."""
    table = pd.read_csv(mirror / "ons_els" / "children-in-relative-poverty.csv")
    table = table[table["indicator"].eq(f"Children in relative poverty {housing} housing costs")]
    table = table.rename(columns={"areacd": "area_code", "period": "label", "observation": "value"})
    table = table[["area_code", "label", "value"]].drop_duplicates(["area_code", "label"]).reset_index(drop=True)
    id_ = "child_poverty_bhc" if housing == "before" else "child_poverty_ahc"
    return tidy(table, indicator_id=id_, kind="financial", source="ons_els")
