"""The register of areas: every upper-tier authority past and present since 2009, districts, regions, England."""

from __future__ import annotations

import re
from functools import cache

import pandas as pd

from outcomes_analysis.areas.spelling import bare, elsewhere, near_names, normal
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.project import project

ENGLAND = "E92000001"
_FLAGS = ("canonical", "ranked")
_DATES = ("start_date", "end_date")
MOST_SUGGESTED = 5
_WAYS = (
    "Give the name of an authority or district, its nine-character code, or its three-digit DfE code; "
    "`outcomes area --list` lists the authorities."
)


@cache
def _register() -> pd.DataFrame:
    table = pd.read_csv(project().path("data", "areas", "register.csv"), dtype="str", keep_default_na=False)
    for column in _FLAGS:
        table[column] = table[column].eq("True")
    for column in _DATES:
        table[column] = pd.to_datetime(table[column].replace("", None), format="%Y-%m-%d").astype("datetime64[s]")
    return table.set_index("area_code")


@cache
def _changes() -> pd.DataFrame:
    table = pd.read_csv(project().path("data", "areas", "changes.csv"), dtype="str", keep_default_na=False)
    table["effective_date"] = pd.to_datetime(table["effective_date"], format="%Y-%m-%d").astype("datetime64[s]")
    return table


def load_register() -> pd.DataFrame:
    """Read every area this package knows, past and present.

    Returns
    -------
    DataFrame
        Indexed by ``area_code`` (nine-character GSS code): name, aliases (former and other names, ``|`` between),
        dfe_code (three digits, ``""`` for none), tier (``upper``, ``lower``, ``region``, ``country``), area_type,
        region_code, region_name, start_date and end_date (first and last day in force; ``NaT`` = before 2009,
        or still in force), canonical (bool: in the December 2023 vintage), ranked (bool: False for the City of
        London and the Isles of Scilly, whose cohorts are too small), upper_code (upper-tier authority it lies
        in; its own code where it is one). A unitary authority, metropolitan district or London borough has tier
        ``upper``; see :func:`lower_tier` for the districts of the whole country.
    """
    return _register().copy()


def load_changes() -> pd.DataFrame:
    """Read the changes of authorities between 2009 and 2027.

    Returns
    -------
    DataFrame
        event, effective_date (first day of the new area), tier of the old area, kind (``recode``: one place, new
        code; ``merge``: several become one; ``split``: one becomes several), old_code, new_code (``unknown`` where
        not yet published), old_dfe_code, new_dfe_code, note, source, verified (``yes`` where a file read says so).
    """
    return _changes().copy()


def upper_tier(*, ranked_only: bool = False) -> pd.DataFrame:
    """Give the 153 authorities responsible for children's services, December 2023 vintage.

    Parameters
    ----------
    ranked_only : bool
        Leave out the City of London and the Isles of Scilly (151 remain).

    Returns
    -------
    DataFrame
        Rows of :func:`load_register`.
    """
    table = _register()
    keep = table["tier"].eq("upper") & table["canonical"]
    return table[keep & table["ranked"] if ranked_only else keep].copy()


def lower_tier() -> pd.DataFrame:
    """Give the 296 lower-tier areas of April 2023: districts and the authorities that have none below them.

    Returns
    -------
    DataFrame
        Rows of :func:`load_register`.
    """
    table = _register()
    single = table["tier"].eq("lower") | table["area_type"].isin(["unitary", "metropolitan", "london"])
    return table[single & table["canonical"]].copy()


def regions() -> pd.DataFrame:
    """Give the nine regions of England (inner and outer London are not among them).

    Returns
    -------
    DataFrame
        Rows of :func:`load_register`.
    """
    table = _register()
    return table[table["tier"].eq("region") & table["canonical"]].copy()


@cache
def recodes() -> dict[str, str]:
    """Old or new code of an unchanged place, to its canonical code (chains followed, canonical codes left out)."""
    canonical = set(_register().index[_register()["canonical"]])
    pairs = _changes().query("kind == 'recode'")[["old_code", "new_code"]].itertuples(index=False, name=None)
    groups: dict[str, set[str]] = {}
    for old, new in pairs:
        together = groups.get(old, {old}) | groups.get(new, {new})
        groups.update(dict.fromkeys(together, together))
    found: dict[str, str] = {}
    for code, together in groups.items():
        target = sorted(together & canonical)
        if code not in canonical and target:
            found[code] = target[0]
    return found


@cache
def _by_dfe_code() -> dict[str, str]:
    table = _register()
    table = table[table["dfe_code"].ne("")].sort_values("canonical", kind="stable")
    return dict(zip(table["dfe_code"], table.index, strict=True))  # a canonical code comes last, and so wins


@cache
def _names() -> dict[str, str]:
    """Spelling to code: names before aliases, canonical areas before former ones, bare forms where unambiguous."""
    table = _register()
    spellings: dict[str, str] = {}
    order = table.sort_values(["canonical", "tier"], ascending=[False, False], kind="stable")
    for code, name in order["name"].items():
        spellings.setdefault(normal(name), str(code))
    for code, aliases in order["aliases"].items():
        for alias in filter(None, aliases.split("|")):
            spellings.setdefault(normal(alias), str(code))
    short: dict[str, set[str]] = {}
    for spelling, code in spellings.items():
        if table.loc[code, "canonical"]:
            short.setdefault(bare(spelling), set()).add(code)
    for spelling, codes in short.items():
        if spelling and len(codes) == 1:
            spellings.setdefault(spelling, next(iter(codes)))
    return spellings


def _what_happened(code: str) -> str:
    table, changes = _register(), _changes()
    rows = changes[changes["old_code"].eq(code) & changes["kind"].ne("recode")]
    date = rows["effective_date"].iloc[0]
    # Successors of a county include those that took single districts of it.
    districts = table.index[table["upper_code"].eq(code) & table["tier"].eq("lower")]
    parts = changes[changes["old_code"].isin(districts) & changes["effective_date"].eq(date)]
    codes = dict.fromkeys([*rows["new_code"], *parts["new_code"]])
    successors = [f"{table.loc[new, 'name']} ({new})" for new in codes if new in table.index]
    how = "was replaced by" if len(successors) > 1 else "became part of"
    former = f"{table.loc[code, 'name']} ({code})"
    return (
        f"{former} {how} {' and '.join(successors)} on {date.day} {date:%B %Y}. Ask for "
        f"{'one of them' if len(successors) > 1 else 'that'}: the former area's figures end there."
    )


def _current(code: str) -> str:
    table = _register()
    code = recodes().get(code, code)
    if table.loc[code, "canonical"] or table.loc[code, "tier"] == "region":
        return code
    raise AreaError(_what_happened(code))


def _find(text: str) -> str | None:
    table, names = _register(), _names()
    wanted = text.strip()
    if wanted.upper() in table.index:
        return wanted.upper()
    number = re.sub(r"\.0+$", "", wanted)
    if number in _by_dfe_code():
        return _by_dfe_code()[number]
    for spelling in (normal(wanted), bare(wanted)):
        if spelling in names:
            return names[spelling]
    return None


def resolve(text: str) -> str:
    """Find the area that a name or code means.

    Parameters
    ----------
    text : str
        Name in any usual spelling ("Hull", "Bristol City Council", "Telford & Wrekin"), a GSS code of any vintage,
        a DfE code ("204"), or a former name of an unchanged place.

    Returns
    -------
    str
        Canonical ``area_code``.

    Raises
    ------
    AreaError
        If nothing is called that (names that are really close are given), if it lies outside England, or if the area
        was merged or split (its successors are given).
    """
    found = _find(str(text))
    if found is not None:
        return _current(found)
    raise AreaError(_unknown(str(text)))


def _unknown(text: str) -> str:
    """Say that nothing is called that, and what was perhaps meant."""
    other = elsewhere(text)
    if other:
        named = f"'{text}' is {other}." if other.startswith("a ") else f"{other} is not covered."
        return f"{named} These figures are of England's 153 authorities for children's services. {_WAYS}"
    table = _register()
    spellings = {key: code for key, code in _names().items() if table.loc[code, "canonical"]}
    near = [*near_names(normal(text), spellings), *near_names(bare(text), spellings)]
    codes = list(dict.fromkeys(spellings[key] for key in near))[:MOST_SUGGESTED]
    names = [f"{table.loc[code, 'name']} ({code})" for code in codes]
    hint = f" Did you mean {' or '.join(names)}?" if names else ""
    return f"No area in England is known as '{text}'.{hint} {_WAYS}"


def authorities_of(region: str) -> pd.DataFrame:
    """Give the upper-tier authorities of a region.

    Parameters
    ----------
    region : str
        ``area_code`` of a region, or of England for all 153.

    Returns
    -------
    DataFrame
        Rows of :func:`load_register`, by name.
    """
    table = upper_tier()
    return table[table["region_code"].eq(region) | (region == ENGLAND)].sort_values("name")


def resolve_place(text: str) -> str:
    """Find the one place, an authority or a district, that a name or code means.

    Parameters
    ----------
    text : str
        As for :func:`resolve`.

    Returns
    -------
    str
        Canonical ``area_code``.

    Raises
    ------
    AreaError
        As :func:`resolve`; and if it is a region or England, naming authorities in it.
    """
    code = resolve(text)
    row = _register().loc[code]
    if row["tier"] in ("upper", "lower"):
        return code
    inside, within = authorities_of(code), "it"
    if inside.empty:  # inner and outer London
        inside, within = authorities_of(str(row["region_code"])), str(row["region_name"])
    message = (
        f"{row['name']} is a {row['tier']}: a profile is of one authority or district. Ask for an authority in "
        f"{within}: {several(inside['name'])}. {_WAYS}"
    )
    raise AreaError(message)


def code_map(published: pd.Series) -> dict[str, str | None]:
    """Match each distinct published code with the register's code, or None where the register has none.

    Parameters
    ----------
    published : Series
        GSS codes of any vintage or DfE codes, as text or numbers ("204", "204.0", 204.0).

    Returns
    -------
    dict
        Recodes are followed to the canonical code; merged and split areas keep their own code.
    """
    table, dfe = _register(), _by_dfe_code()
    found: dict[str, str | None] = {}
    for code in published.dropna().astype("str").unique():
        plain = re.sub(r"\.0+$", "", code.strip())
        match = plain if plain in table.index else dfe.get(plain)
        found[code] = recodes().get(match, match) if match is not None else None
    return found


def to_area_code(published_codes: pd.Series) -> pd.Series:
    """Turn published codes into the register's codes.

    Parameters
    ----------
    published_codes : Series
        GSS codes of any vintage or DfE codes, as text or numbers ("204", "204.0", 204.0).

    Returns
    -------
    Series of str
        Same index. A pure recode gives the canonical code (E10000002 gives E06000060, E08000038 gives E08000016);
        a merged or split area keeps its own code, for :func:`outcomes_analysis.areas.harmonise` to deal with.

    Raises
    ------
    AreaError
        If a code is missing or unknown, naming each.
    """
    mapping = code_map(published_codes)
    unknown = [code for code, match in mapping.items() if match is None]
    gaps = int(published_codes.isna().sum())
    if unknown or gaps:
        parts = (
            [f"{len(unknown)} unknown code{'s' if len(unknown) != 1 else ''} ({several(unknown)})"] if unknown else []
        )
        parts += [f"{gaps} without a code"] if gaps else []
        message = (
            f"Area codes: {' and '.join(parts)}. Use nine-character GSS codes of England or three-digit DfE codes; "
            "data/areas/register.csv lists those known."
        )
        raise AreaError(message)
    return published_codes.astype("str").map(mapping).astype("str").rename("area_code")
