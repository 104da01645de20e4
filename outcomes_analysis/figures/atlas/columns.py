"""Values with their intervals as compressed columns of whole numbers, as the atlas page unpacks them."""

from __future__ import annotations

import base64
import gzip

import numpy as np
import numpy.typing as npt

MISSING = -2_000_000_000  # a missing value is this plus the number of the reason
NO_INTERVAL = -1
REASONS = 16  # the reason why a figure is not compared is kept in the last four bits beside the upper reach

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def column(
    values: Floats, lower: Floats, upper: Floats, *, missing: Whole, withheld: Whole, decimals: int
) -> npt.NDArray[np.int32]:
    """Write one period of one series as whole numbers.

    Parameters
    ----------
    values, lower, upper : array, shape (areas,)
        In natural units; NaN where there is none.
    missing : array of int, shape (areas,)
        Number of the reason why a value is missing; read only where it is.
    withheld : array of int, shape (areas,)
        Number of the reason why a figure is compared with nothing; 0 where it is compared.
    decimals : int
        Kept of the values and the bounds.

    Returns
    -------
    array of int32, shape (3, areas)
        Value; reach of the interval below it; reach above it times 16, plus the reason. A reach is -1 where there is
        no interval (then the third row holds only the reason, less 16).

    Raises
    ------
    ValueError
        If a number does not fit, or a reason lies outside 0 to 15.
    """
    if ((withheld < 0) | (withheld >= REASONS)).any():
        message = f"A reason must be a whole number from 0 to {REASONS - 1}."
        raise ValueError(message)
    scale = 10.0**decimals
    known = np.isfinite(values)
    bounded = known & np.isfinite(lower) & np.isfinite(upper)
    whole = np.round(np.where(known, values, 0.0) * scale)
    below = np.where(bounded, whole - np.round(np.where(bounded, lower, 0.0) * scale), NO_INTERVAL)
    above = np.where(bounded, np.round(np.where(bounded, upper, 0.0) * scale) - whole, NO_INTERVAL)
    below, above = (np.where(bounded, np.maximum(x, 0), NO_INTERVAL) for x in (below, above))
    rows = np.stack([np.where(known, whole, MISSING + missing), below, above * REASONS + withheld])
    if np.abs(rows).max() >= 2**31:
        message = "A value is too large for the atlas."
        raise ValueError(message)
    return rows.astype(np.int32)


def packed(columns: list[npt.NDArray[np.int32]]) -> str:
    """Join columns and compress them: all lowest bytes first, then the next ones, gzip, base64.

    Bytes of the same weight lie together, so that those which are nearly always 0 cost nearly nothing. The same
    columns give the same text.
    """
    flat = np.concatenate([c.ravel() for c in columns]) if columns else np.empty(0, np.int32)
    planes = flat.astype("<i4").view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(gzip.compress(planes.tobytes(), compresslevel=9, mtime=0)).decode("ascii")


def unpacked(text: str) -> npt.NDArray[np.int32]:
    """Undo :func:`packed`: one flat array."""
    planes = np.frombuffer(gzip.decompress(base64.b64decode(text)), np.uint8).reshape(4, -1)
    return np.ascontiguousarray(planes.T).view("<i4").ravel()
