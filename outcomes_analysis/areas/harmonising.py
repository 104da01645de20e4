"""One vintage for every figure: published codes of any year to the areas of December 2023."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.areas.combining import fill_waiting, inherited, is_figure, merged
from outcomes_analysis.areas.register import code_map, load_register
from outcomes_analysis.areas.succession import in_force, succession
from outcomes_analysis.errors import AreaError, ObservationsError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.contract import KEY, conform

# Places that publishers add and that are none of ours, by the head of their code.
_OTHER = {
    "W": "Wales",
    "S": "Scotland",
    "N": "Northern Ireland",
    "K": "more than England",
    "E05": "electoral wards",
    "E11": "metropolitan counties",
    "E13": "inner and outer London",
    "E38": "health areas",
    "E40": "health areas",
    "E45": "health areas",
    "E47": "combined authorities",
    "E54": "health areas",
    "E61": "Greater London Authority",
    "1000": "England (discontinued)",
}
_REPORT = [
    "action",
    "source_id",
    "indicator_id",
    "area_code",
    "published_code",
    "first_period",
    "last_period",
    "rows",
    "detail",
]


@dataclass(frozen=True)
class Harmonised:
    """Observations of one vintage, and what was done to get there.

    Attributes
    ----------
    table : DataFrame
        Observations with ``area_code`` (December 2023) beside ``published_code``; the contract's columns.
    report : DataFrame
        One row for each thing done: action, source_id, indicator_id, area_code, published_code, first_period,
        last_period, rows, detail. Actions: ``recoded``, ``same_twice`` (one place under two codes, same value),
        ``chosen`` (two values: the code in force was kept), ``merged``, ``inherited``, ``not_combined``, ``former``
        (a former area's own row, used up or empty), ``not_in_force`` (a publisher's own figure under a code of
        another date, kept), ``dropped`` (other geographies).
    """

    table: pd.DataFrame
    report: pd.DataFrame

    @property
    def text(self) -> str:
        """The report in a few sentences."""
        counts = self.report.groupby("action")["rows"].sum()
        words = [f"{str(action).replace('_', ' ')} {rows:,}" for action, rows in counts.items()]
        return f"{len(self.table):,} figures of {self.table['area_code'].nunique()} areas; rows: {', '.join(words)}."


def harmonise(
    raw: pd.DataFrame, *, framework: Framework | None = None, population: pd.Series | None = None
) -> Harmonised:
    """Bring figures published under codes of any year to the areas of December 2023.

    Recodes are mapped. Merged areas are summed from counts; where only weights exist the value is ``estimated`` and
    the report names the weight. The successors of a split area are given its value as ``inherited``. A figure
    that a publisher gives for a canonical area itself always stands. Which code was in force is judged at the end of
    the period (31 March for a social-care year, 31 August for summer assessments), not by the year of its label.

    Parameters
    ----------
    raw : DataFrame
        Observations as readers give them: the contract's columns without ``area_code``.
    framework : Framework, optional
        Tells counts from rates, and what a rate is per. Without it this is inferred from the counts.
    population : Series, optional
        Population aged 0 to 17 indexed by (area code as published, year), used as weights where counts are missing.

    Returns
    -------
    Harmonised
        Former areas, inner and outer London, and places outside England are not in the table; the report counts them.

    Raises
    ------
    AreaError
        If a code belongs to no known area or geography.
    ObservationsError
        If one area has two values for one key that no rule chooses between.
    """
    rows, dropped = _with_register_codes(raw)
    register = load_register()
    canonical = rows["register_code"].isin(register.index[register["canonical"]])
    own = rows[canonical].rename(columns={"register_code": "area_code"})
    former = fill_waiting(rows[~canonical], framework=framework, population=population)
    own, doubled = _one_code_each(own)
    made_by_merging = merged(former, framework=framework, population=population)
    made_by_splitting = inherited(former, framework=framework)
    own = _mark_copies_of_the_parent(own, made_by_splitting)
    own, derived = _settle(own, made_by_merging, made_by_splitting)
    table = conform(pd.concat([own, derived], ignore_index=True))
    _refuse_repeats(table)
    notes = [dropped, _recoded(own), doubled, _former(former), _off_dates(own), _made(derived)]
    report = pd.concat([note for note in notes if len(note)] or [dropped], ignore_index=True)
    return Harmonised(table=table, report=report)


def _with_register_codes(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    mapping = code_map(raw["published_code"])
    other = {code: _kind(code, match) for code, match in mapping.items()}
    unknown = [code for code, match in mapping.items() if match is None and not other[code]]
    if unknown or raw["published_code"].isna().any():
        blank = int(raw["published_code"].isna().sum())
        sources = several(sorted(raw.loc[raw["published_code"].isin(unknown), "source_id"].unique()))
        message = (
            f"{len(unknown)} published codes belong to no known area: {several(unknown)}; {blank} rows have no code"
            f" (sources: {sources or 'not known'}). Add the areas to data/areas/register.csv, or drop the rows."
        )
        raise AreaError(message)
    published = raw["published_code"].astype("str")
    kind = published.map(other)
    out = kind.ne("")
    gone = raw[out].assign(detail=kind[out], area_code="", published_code="")
    rows = raw[~out].assign(published_code=published[~out], register_code=published[~out].map(mapping))
    return rows.astype({"register_code": "str"}), _note(gone, "dropped")


def _kind(published: str, match: str | None) -> str:
    code = match or published.removesuffix(".0")
    return next((name for head, name in _OTHER.items() if code.startswith(head)), "")


def _one_code_each(own: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep one row where a place was published under two codes for one key."""
    codes = own[["area_code", "published_code"]].drop_duplicates()
    several_codes = codes.loc[codes["area_code"].duplicated(keep=False), "area_code"]
    suspects = own[own["area_code"].isin(several_codes)]
    twice = suspects[suspects.duplicated(list(KEY), keep=False)]
    if twice.empty:
        return own, _note(own.iloc[:0], "chosen")
    twice = twice.assign(
        valid=in_force(twice["published_code"], twice["period_end"]).to_numpy(),
        same_code=twice["published_code"].eq(twice["area_code"]),
        has_value=is_figure(twice),
    )
    order = ["has_value", "valid", "same_code"]
    best = twice.sort_values(order, ascending=False, kind="stable").drop_duplicates(list(KEY))
    rest = twice.drop(best.index)
    pairs = rest.reset_index().merge(best, on=list(KEY), suffixes=("", "_kept"), validate="many_to_one")
    pairs = pairs.set_index("index")
    same = np.logical_and.reduce(
        [np.isclose(pairs[n], pairs[f"{n}_kept"], rtol=0, atol=1e-9, equal_nan=True) for n in ("value", "numerator")]
    )
    differs = pairs["has_value"] & ~same
    undecided = pairs[differs & (pairs["valid"] == pairs["valid_kept"])]
    if len(undecided):
        cases = [f"{a} ({p} against {k}), {t}" for a, p, k, t in undecided[_CASE].itertuples(index=False, name=None)]
        message = (
            f"{len(cases)} figures have two values for one place: {several(cases)}. "
            "Keep one of the two codes in the file."
        )
        raise ObservationsError(message)
    kept = ["indicator_id", "source_id", "area_code", "published_code", "period"]
    said = [
        f"{other:g} not used, kept {used:g}" for other, used in zip(pairs["value"], pairs["value_kept"], strict=True)
    ]
    chosen = _note(pairs[kept].assign(detail=said)[differs], "chosen")
    repeats = _note(pairs.loc[~differs, kept].assign(detail="one place under two codes"), "same_twice")
    return own.drop(rest.index), pd.concat([chosen, repeats], ignore_index=True)


_CASE = ["area_code", "published_code", "published_code_kept", "period"]


def _mark_copies_of_the_parent(own: pd.DataFrame, passed_on: pd.DataFrame) -> pd.DataFrame:
    """Mark as inherited what a publisher itself copied: every successor has the very value of the parent."""
    passed_on = passed_on[passed_on["value"].notna()]
    near = own[own["area_code"].isin(passed_on["area_code"].unique()) & own["value"].notna()]
    both = near.reset_index().merge(passed_on, on=list(KEY), suffixes=("", "_parent"))
    if both.empty:
        return own
    both["copy"] = both["value"].eq(both["value_parent"])
    family = [name for name in KEY if name != "area_code"] + ["published_code_parent"]
    siblings = both.groupby(family)["copy"].transform("size") > 1  # one equal value may be chance
    copies = both.loc[both.groupby(family)["copy"].transform("all") & siblings, "index"]
    own = own.copy()
    own.loc[copies, "status"] = "inherited"
    own.loc[copies, ["lower", "upper", "level", "se_sampling", "se_total", "numerator", "denominator"]] = np.nan
    return own


def _settle(
    own: pd.DataFrame, made_by_merging: pd.DataFrame, made_by_splitting: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose between what was published for an area and what was made for it, key by key.

    A published value stands, and so does a suppression of an area in force. Then comes a sum, then an inherited value,
    then whatever says why there is none.
    """
    derived = pd.concat([made_by_merging.assign(rank=1), made_by_splitting.assign(rank=2)], ignore_index=True)
    if derived.empty:
        return own, derived
    derived["rank"] = derived["rank"].where(is_figure(derived), derived["rank"] + 3)
    near = own[own["area_code"].isin(derived["area_code"].unique())]
    formed = near["area_code"].map(succession().formed_on)
    stands = is_figure(near) | (near["status"].eq("suppressed") & (near["period_end"] >= formed))
    ranked = pd.concat(
        [near.assign(rank=np.where(stands, 0, 3), place=near.index, made=False), derived.assign(place=-1, made=True)]
    ).sort_values("rank", kind="stable")
    best = ranked.drop_duplicates(list(KEY))
    lost = near.index.difference(pd.Index(best.loc[~best["made"].astype(bool), "place"]))
    made = best[best["made"].astype(bool)].drop(columns=["rank", "place", "made"]).sort_values(list(KEY))
    return own.drop(lost), made


def _refuse_repeats(table: pd.DataFrame) -> None:
    """Check that no place has two values for one key, in any period."""
    codes = np.zeros(len(table), dtype=np.int64)
    for name in KEY:
        labels, levels = pd.factorize(table[name])
        codes = pd.factorize(codes * (len(levels) + 1) + labels + 1)[0].astype(np.int64)
    repeated = table[pd.Series(codes).duplicated(keep=False).to_numpy()]
    if len(repeated):
        cases = repeated[list(KEY)].drop_duplicates().agg(" ".join, axis=1)
        sources = several(sorted(repeated["source_id"].unique()))
        message = (
            f"{len(cases):,} figures are given more than once for one place and period: {several(cases)}"
            f" (sources: {sources}). Choose one source for each figure, or correct the file."
        )
        raise ObservationsError(message)


def _note(rows: pd.DataFrame, action: str) -> pd.DataFrame:
    """Count rows by what they have in common, for the report."""
    if rows.empty:
        return pd.DataFrame(columns=_REPORT)
    by = ["source_id", "indicator_id", "area_code", "published_code", "detail"]
    counts = rows.groupby(by, sort=True)["period"].agg(first_period="min", last_period="max", rows="size").reset_index()
    return counts.assign(action=action)[_REPORT]


def _recoded(own: pd.DataFrame) -> pd.DataFrame:
    gss = own["published_code"].str.len().eq(9)
    changed = own[gss & own["published_code"].ne(own["area_code"])]
    return _note(changed.assign(detail="same place, other code"), "recoded")


def _former(former: pd.DataFrame) -> pd.DataFrame:
    rows = former.assign(area_code=former["register_code"])
    has_value = rows["value"].notna()
    return _note(rows.assign(detail=np.where(has_value, "had a value", "had no value")), "former")


def _off_dates(own: pd.DataFrame) -> pd.DataFrame:
    formed = succession().formed_on
    near = own[own["area_code"].isin(formed) & own["published_code"].eq(own["area_code"]) & own["value"].notna()]
    early = near[near["period_end"] < near["area_code"].map(formed)]
    return _note(early.assign(detail="published for a date before the area was formed; kept"), "not_in_force")


def _made(derived: pd.DataFrame) -> pd.DataFrame:
    if derived.empty:
        return _note(derived, "merged")
    names = load_register()["name"]
    lacking = derived["lacking"].map(lambda text: " and ".join(names[code] for code in text.split("+")) if text else "")
    reason = derived["how"].mask(derived["how"].eq(""), "a part has no value")
    detail = reason + lacking.map(lambda text: f"; without {text}" if text else "")
    valued = is_figure(derived)
    action = np.select([~valued, derived["status"].eq("inherited")], ["not_combined", "inherited"], "merged")
    notes = [_note(derived[action == a].assign(detail=detail[action == a]), a) for a in np.unique(action)]
    return pd.concat(notes, ignore_index=True)
