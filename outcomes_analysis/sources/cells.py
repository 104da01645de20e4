"""Cells as published: numbers, and the symbols that stand for a number that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SourceError, several


class Meaning(NamedTuple):
    """What a symbol says: the status of the value, a flag, and the number it stands for, if any."""

    status: str
    flag: str = ""
    number: float = float("nan")


# Symbols of the Department for Education's open data; ":" and "~" are those of older files; "b" marks years that
# were not collected. "low" and "k" round to zero without being zero; "u" stands in place of a value too unreliable.
EES_SYMBOLS: Mapping[str, Meaning] = {
    "c": Meaning("suppressed"),
    "z": Meaning("not_applicable"),
    "x": Meaning("not_available"),
    ":": Meaning("not_available"),
    "b": Meaning("not_available"),
    "u": Meaning("not_available", "low_reliability"),
    "low": Meaning("published", "rounded", 0.0),
    "k": Meaning("published", "rounded", 0.0),
    "~": Meaning("published", "rounded", 0.0),
}
LAIT_SYMBOLS: Mapping[str, Meaning] = {"-": Meaning("not_available")}
DISTRICT_SYMBOLS: Mapping[str, Meaning] = {"NA": Meaning("not_available")}
NO_SYMBOLS: Mapping[str, Meaning] = {}

_THOUSANDS = r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"  # [0-9], since \d takes the digits of every script
_NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"


def parse_cells(texts: pd.Series, *, symbols: Mapping[str, Meaning], where: str, first_row: int = 2) -> pd.DataFrame:
    """Turn one column of text into numbers, each with a status and flags.

    Parameters
    ----------
    texts : Series of str
        Cells as published, without missing values; the index gives the row within the file, from 0.
    symbols : mapping
        The symbols allowed in this file and what they mean.
    where : str
        File and column, named in errors.
    first_row : int
        Row of the file that index 0 is (2 below one line of headings).

    Returns
    -------
    DataFrame
        Columns ``number`` (float, NaN where there is none), ``status`` and ``flags`` (str); index of ``texts``.

    Raises
    ------
    SourceError
        If a cell is neither a number nor a symbol of ``symbols``, naming it and the rows.
    """
    clean = texts.astype("str").str.strip()
    is_number = clean.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
    numbers = np.full(len(clean), np.nan)
    numbers[is_number] = clean[is_number].astype(float).to_numpy()
    status = np.where(is_number, "published", "").astype(object)
    flags = np.full(len(clean), "", dtype=object)
    if not is_number.all():
        rest = np.flatnonzero(~is_number)
        text = clean.iloc[rest]
        thousands = text.str.fullmatch(_THOUSANDS).to_numpy(dtype=bool)
        numbers[rest[thousands]] = text[thousands].str.replace(",", "").astype(float).to_numpy()
        status[rest[thousands]] = "published"
        rest, text = rest[~thousands], text[~thousands]
        _check_known(text, symbols, where, first_row)
        for symbol, meaning in symbols.items():
            at = rest[(text == symbol).to_numpy(dtype=bool)]
            numbers[at], status[at], flags[at] = meaning.number, meaning.status, meaning.flag
    if np.isinf(numbers).any():
        message = f"{where}: a number is too large to be one: {several(clean[np.isinf(numbers)].unique())}."
        raise SourceError(message)
    return pd.DataFrame(
        {"number": numbers, "status": pd.array(status, dtype="str"), "flags": pd.array(flags, dtype="str")},
        index=texts.index,
    )


def _check_known(text: pd.Series, symbols: Mapping[str, Meaning], where: str, first_row: int) -> None:
    unknown = text[~text.isin(list(symbols))]
    if unknown.empty:
        return
    shown = several(repr(s[:40]) for s in unknown.unique())
    rows = several(int(i) + first_row for i in unknown.index)
    known = f"The symbols known here are {several(symbols, limit=20)}" if symbols else "Only numbers are expected here"
    message = f"{where}: {len(unknown)} cells hold neither a number nor a known symbol: {shown} (rows {rows}). {known}."
    raise SourceError(message)


def join_flags(*columns: pd.Series) -> pd.Series:
    """Merge columns of flags cell by cell: sorted, without repeats, joined by ``;``."""
    first = columns[0]
    if len(columns) == 1:
        return first.astype("str")
    together = columns[0].astype("str")
    for column in columns[1:]:
        together = together + ";" + column.astype("str").to_numpy()
    codes, unique = pd.factorize(together)
    merged = [";".join(sorted({part for part in text.split(";") if part})) for text in unique]
    return pd.Series(np.array(merged, dtype=object)[codes], index=first.index, dtype="str", name="flags")
