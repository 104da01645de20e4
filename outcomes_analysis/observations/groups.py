"""Groups of children that figures are published for, in words."""

from __future__ import annotations

from outcomes_analysis.errors import ObservationsError

_LABELS: dict[tuple[str, str], str] = {
    ("all", "all"): "All children",
    ("fsm", "eligible"): "Eligible for free school meals",
    ("fsm", "not_eligible"): "Not eligible for free school meals",
    ("disadvantage", "disadvantaged"): "Disadvantaged pupils",
    ("disadvantage", "other"): "Other pupils (not disadvantaged)",
    ("sen", "none"): "No special educational needs",
    ("sen", "support"): "Special educational needs support",
    ("sen", "ehcp"): "Education, health and care plan",
    ("social_care", "in_need"): "Children in need",
    ("social_care", "child_protection"): "Children on a protection plan",
    ("social_care", "looked_after"): "Children looked after",
    ("sex", "female"): "Girls",
    ("sex", "male"): "Boys",
    ("ethnicity", "asian"): "Asian",
    ("ethnicity", "black"): "Black",
    ("ethnicity", "chinese"): "Chinese",
    ("ethnicity", "mixed"): "Mixed",
    ("ethnicity", "white"): "White",
    ("ethnicity", "other"): "Other ethnic group",
}


def group_label(group_type: str, group: str) -> str:
    """Name a group of children as a reader would.

    Parameters
    ----------
    group_type, group : str
        As in the table of observations.

    Returns
    -------
    str

    Raises
    ------
    ObservationsError
        If the table can hold no such group.
    """
    try:
        return _LABELS[group_type, group]
    except KeyError:
        known = ", ".join(f"{a}/{b}" for a, b in _LABELS)
        message = f"'{group_type}/{group}' is no group of children known here. Known: {known}."
        raise ObservationsError(message) from None


def group_order() -> list[tuple[str, str]]:
    """List the groups in the order in which they are shown: all children first."""
    return list(_LABELS)
