"""Errors and warnings a user can act on, and the helper that words them.

Every error raised for a user's mistake is an :class:`OutcomesError`; the command turns it into one plain
message and exit code 2. Anything else is ours and ends with exit code 1.
"""

from __future__ import annotations

from collections.abc import Iterable


class OutcomesError(Exception):
    """A mistake in what was given: what is wrong, how many and which, where, what to do."""


class FrameworkError(OutcomesError):
    """A framework file is not valid."""


class PeriodError(OutcomesError):
    """A period label follows no known grammar."""


class ObservationsError(OutcomesError):
    """A table of observations breaks the contract."""


class AreaError(OutcomesError):
    """An area code or name is unknown, ambiguous or out of its dates."""


class SourceError(OutcomesError):
    """A publisher's file is missing, damaged, or not what it should be."""


class CorrectionError(SourceError):
    """A correction of a published figure no longer matches what the publisher published."""


class ReleaseError(OutcomesError):
    """The default data cannot be read, or differ from what the files give."""


class SpecError(OutcomesError):
    """A specification asks for something that cannot be done."""


class RelationError(OutcomesError):
    """An association cannot be estimated as asked."""


class FigureError(OutcomesError):
    """A figure lacks something it must carry, or cannot be drawn."""


class ProjectError(OutcomesError):
    """A folder or setting is missing, or a file cannot be written."""


class OutcomesWarning(UserWarning):
    """Something a reader of the result should know."""


def several(items: Iterable[object], *, limit: int = 5) -> str:
    """Name the first few of many: ``"a, b, c and 4 more"``.

    Parameters
    ----------
    items : iterable
        What to name; order is kept.
    limit : int
        How many to spell out.

    Returns
    -------
    str
    """
    names = [str(item) for item in items]
    shown = ", ".join(names[:limit])
    extra = len(names) - limit
    return f"{shown} and {extra} more" if extra > 0 else shown


class Problems:
    """Collect every problem of a table or file, then raise once.

    Parameters
    ----------
    where : str
        The file or table spoken of, put at the head of the message.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.messages: list[str] = []

    def add(self, message: str) -> None:
        """Note one problem."""
        self.messages.append(message)

    def raise_if_any(self, error: type[OutcomesError]) -> None:
        """Raise ``error`` naming all problems noted, or do nothing if there are none."""
        if not self.messages:
            return
        count = len(self.messages)
        head = f"{self.where}: {count} problem{'s' if count > 1 else ''}"
        raise error("\n".join([head, *(f"  - {m}" for m in self.messages)]))
