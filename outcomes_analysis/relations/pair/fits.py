"""Fitted models kept on disk, under a key that changes whenever data, model or software do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import project
from outcomes_analysis.provenance import hash_of, package_version, write_atomic
from outcomes_analysis.relations.pair import latent_pair, posteriors
from outcomes_analysis.relations.pair.posteriors import Posterior

SOFTWARE = ("arviz", "numba", "numpy", "pymc", "pytensor", "scipy")
CODE = (latent_pair.__file__, posteriors.__file__)


def versions() -> dict[str, str]:
    """Versions of the software a fit rests on, found without importing any of it."""
    return {"outcomes-analysis": package_version(), **{name: version(name) for name in SOFTWARE}}


def key_of(*, data: str, settings: dict[str, Any], code: Sequence[str | None] = CODE) -> str:
    """Key of a fit.

    Parameters
    ----------
    data : str
        Hash of the figures.
    settings : dict
        How it was sampled.
    code : sequence of str
        Files of the modules that hold the model; by default those of the model of two noisy figures.

    Returns
    -------
    str
        Hash of the data, the settings, the modules that hold the model, and the versions of the software.
    """
    texts = [Path(path).read_text(encoding="utf-8") for path in code if path]
    return hash_of({"data": data, "settings": settings, "code": texts, "versions": versions()})


def fits_folder() -> Path:
    """Where fits are kept; git ignores it, and it may be deleted at any time."""
    return project().result("models", "fits")


def save_fit(posterior: Posterior, *, key: str, path: Path) -> Path:
    """Write draws and diagnostics as NetCDF, whole or not at all.

    Raises
    ------
    ProjectError
        If the file cannot be written.
    """
    import xarray as xr

    variables = {
        name: (("chain", "draw", *(f"{name}_{k}" for k in range(values.ndim - 2))), values)
        for name, values in posterior.draws.items()
    }
    attributes = {"key": key, "diagnostics": json.dumps(posterior.diagnostics, sort_keys=True)}
    # scipy writes the older NetCDF, which needs no further library and is enough for a few arrays of numbers.
    return write_atomic(path, bytes(xr.Dataset(variables, attrs=attributes).to_netcdf(engine="scipy")))


def load_fit(path: Path, *, key: str, names: Iterable[str] = latent_pair.REPORTED) -> Posterior:
    """Read a fit back.

    Parameters
    ----------
    path : Path
    key : str
        What :func:`key_of` gives for today's data, model and software.
    names : iterable of str
        Parameters there must be.

    Raises
    ------
    RelationError
        If the file is damaged, or was made from other data, another model or other software.
    """
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="scipy") as stored:
            found = stored.load()
        diagnostics = json.loads(found.attrs["diagnostics"])
        made_from = str(found.attrs["key"])
        draws = {str(name): np.asarray(values, dtype=float) for name, values in found.data_vars.items()}
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        message = f"The stored fit {path.name} cannot be read ({error}). Delete it; it is then fitted again."
        raise RelationError(message) from error
    if made_from != key:
        message = (
            f"The stored fit {path.name} was made from other data, another model or other software "
            f"(key {made_from}, wanted {key}). Delete it; it is then fitted again."
        )
        raise RelationError(message)
    if set(draws) != set(names) or not all(np.isfinite(v).all() for v in draws.values()):
        message = f"The stored fit {path.name} is not whole. Delete it; it is then fitted again."
        raise RelationError(message)
    return Posterior(draws=draws, diagnostics=diagnostics)
