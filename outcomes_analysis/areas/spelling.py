"""How people write the names of places: one plain form for every spelling, and which names are really close."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Words that people add to or leave off a place's name.
_EXTRA = re.compile(
    r"\b(the|lb|council|county|borough|royal|london|metropolitan|unitary|authority|ua|city|district|of|mbc|cc|region)\b"
)
LONG = 6  # letters; a shorter word of a longer name is too easily hit by chance
_NATIONS = {"W": "Wales", "S": "Scotland", "N": "Northern Ireland"}
_NATION_NAMES = {"wales": "Wales", "cymru": "Wales", "scotland": "Scotland", "northern ireland": "Northern Ireland"}
_SMALLER = {
    "E00": "a small area of the census",
    "E01": "a small area of the census",
    "E02": "a small area of the census",
    "E04": "a parish",
    "E05": "a ward",
    "E14": "a parliamentary constituency",
    "E38": "an area of the health service",
    "E54": "an area of the health service",
}


def normal(text: str) -> str:
    """Write a name in small letters and digits, single spaces between, "&" as "and" and "saint" as "st"."""
    plain = text.lower().replace("&", " and ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("'", "")
    plain = re.sub(r"[^a-z0-9]+", " ", plain)
    plain = re.sub(r"\bsaint\b", "st", plain)
    return " ".join(plain.split())


def bare(text: str) -> str:
    """Leave off what people add to a name: council, county, borough, city, the, of."""
    return " ".join(_EXTRA.sub(" ", normal(text)).split())


def elsewhere(text: str) -> str:
    """Say what a name or code is, where it is one that these figures do not cover; else an empty string.

    Parameters
    ----------
    text : str
        As the user gave it.

    Returns
    -------
    str
        ``"a code of Wales"``, ``"a ward"``, ``"Scotland"`` and so on.
    """
    code = text.strip().upper()
    if re.fullmatch(r"[WSN]\d{8}", code):
        return f"a code of {_NATIONS[code[0]]}"
    if re.fullmatch(r"E\d{8}", code):
        return _SMALLER.get(code[:3], "")
    return _NATION_NAMES.get(normal(text), "")


def near_names(wanted: str, names: Iterable[str]) -> list[str]:
    """Names that are really close to what was written, the closest first.

    Parameters
    ----------
    wanted : str
        Plain form (see :func:`normal`).
    names : iterable of str
        Plain forms of what there is.

    Returns
    -------
    list of str
        Names that have every word written, or begin so ("kingston", "tower ham"), then those of which the whole or one
        long word is a slip or two away: one slip in up to five letters, two in up to ten, three in more. Empty where
        nothing is.
    """
    words = [word for word in wanted.split() if not _EXTRA.fullmatch(word) and word != "and"]
    if not words:
        return []
    long_enough = len("".join(words)) >= 3
    found = [name for name in names if long_enough and _holds(words, name.split())]
    found.sort(key=lambda name: (not name.startswith(words[0]), len(name), name))
    allowed = 1 if len(wanted) <= 5 else 2 if len(wanted) <= 10 else 3
    slips = [
        (distance(wanted, part), name)
        for name in names
        for part in (name, *(word for word in name.split() if len(word) > LONG))
        if abs(len(wanted) - len(part)) <= allowed
    ]
    least = min((far for far, _ in slips), default=0)
    near = [name for far, name in sorted(slips) if far <= min(allowed, least + 1)]
    return list(dict.fromkeys([*found, *near]))


def _holds(words: list[str], of: list[str]) -> bool:
    return all(any(part.startswith(word) for part in of) for word in words)


def distance(a: str, b: str) -> int:
    """Count the slips between two words: a letter put in, left out, mistaken, or two side by side exchanged.

    Parameters
    ----------
    a, b : str

    Returns
    -------
    int
        The restricted Damerau-Levenshtein distance (Damerau 1964, Communications of the ACM 7).
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row, older = row, [i], before
        before = last
        for j, y in enumerate(b, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]
