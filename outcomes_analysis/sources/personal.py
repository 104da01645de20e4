"""Records of persons told from figures: a file of figures by place must not hold a child's number, birthday or address.

What is found is named by its kind and place in the file. Nothing of a cell is ever kept or repeated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# A heading's letters and digits alone, in small letters, to what it means. These columns have no place in the file,
# whatever is in them.
HEADINGS: dict[str, str] = {
    **dict.fromkeys(("upn", "uniquepupilnumber", "pupilnumber", "upnnumber"), "unique pupil number"),
    **dict.fromkeys(("uln", "uniquelearnernumber"), "unique learner number"),
    **dict.fromkeys(("nhs", "nhsno", "nhsnumber", "nhsnum"), "NHS number"),
    **dict.fromkeys(("nino", "nationalinsurancenumber", "nationalinsurance"), "National Insurance number"),
    **dict.fromkeys(("dob", "dateofbirth", "birthdate", "birthday", "dateofbirthdob"), "date of birth"),
    **dict.fromkeys(
        (
            *("forename", "forenames", "firstname", "givenname", "middlename", "surname", "lastname", "familyname"),
            *("fullname", "childname", "nameofchild", "pupilname", "studentname", "clientname", "personname"),
            *("mothername", "fathername", "carername", "parentname", "socialworker", "socialworkername"),
        ),
        "person's name",
    ),
    **dict.fromkeys(("postcode", "homepostcode", "pcd", "pcds", "postalcode"), "postcode"),
    **dict.fromkeys(("address", "homeaddress", "addressline1", "address1", "street", "uprn"), "address"),
    **dict.fromkeys(("email", "emailaddress", "phone", "telephone", "mobile", "phonenumber"), "e-mail or telephone"),
    **dict.fromkeys(
        (
            *("childid", "childuniqueid", "pupilid", "studentid", "clientid", "personid", "caseid", "casenumber"),
            *("lachildid", "mosaicid", "liquidlogicid", "caseref", "casereference", "personnumber", "swissid"),
        ),
        "number of a child or case",
    ),
}

_DATE = r"(?:\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)?\d{2}|(?:19|20)\d{2}[/.-]\d{1,2}[/.-]\d{1,2})(?:[ T]\d.*)?"
_KINDS: dict[str, str] = {
    "upn": r"[A-HJ-NP-RT-Z]\d{11}[\dA-HJ-NP-RT-Z]",
    "nhs": r"\d{3}[ -]?\d{3}[ -]?\d{4}",
    "nino": r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]",
    "postcode": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    "email": r"[^@\s]+@[^@\s]+\.[A-Z]{2,}",
    "phone": r"(?:\+44 ?|0)\d(?:[ -]?\d){8,9}",
    "date": _DATE,
}
_CELL = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS.items()), re.IGNORECASE | re.ASCII)
_WORDS = {
    "upn": "unique pupil number",
    "nhs": "NHS number",
    "nino": "National Insurance number",
    "postcode": "postcode",
    "email": "e-mail or telephone",
    "phone": "e-mail or telephone",
    "date": "date of birth",
}
_SHORTEST = 5  # no kind has fewer characters


def plain_heading(heading: str) -> str:
    """Letters and digits of a heading alone, in small letters."""
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def personal_headings(headings: Sequence[str]) -> dict[int, str]:
    """Find headings of columns about persons.

    Parameters
    ----------
    headings : sequence of str
        The first row.

    Returns
    -------
    dict of int to str
        Position, from 0, to what the column would hold, such as ``"NHS number"``.
    """
    found = ((position, HEADINGS.get(plain_heading(heading))) for position, heading in enumerate(headings))
    return {position: kind for position, kind in found if kind}


def personal_cell(cell: str, *, dates: bool = True) -> str:
    """Say what kind of personal detail a cell looks like, or nothing.

    Parameters
    ----------
    cell : str
    dates : bool
        Whether a day counts: not in a column of periods, where a figure may be of one day.

    Returns
    -------
    str
        ``"unique pupil number"``, ``"NHS number"`` (ten digits with a right check digit), ``"date of birth"``,
        ``"postcode"`` (a whole one), ... or empty.
    """
    if len(cell) < _SHORTEST or (match := _CELL.fullmatch(cell)) is None:
        return ""
    kind = str(match.lastgroup)
    if kind == "nhs" and not _nhs_check(cell):
        # Eleven digits that begin with 0 are a telephone number; ten that fail the check may be a count.
        return ""
    return "" if kind == "date" and not dates else _WORDS[kind]


def _nhs_check(text: str) -> bool:
    """Modulus 11 of an NHS number: ten digits, the last a check on the others (NHS Data Dictionary)."""
    digits = [int(c) for c in text if c.isdigit()]
    check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(set(digits)) > 1 and check % 11 == digits[9] and check != 10
