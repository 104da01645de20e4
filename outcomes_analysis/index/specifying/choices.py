"""A method for everything, and others where they are named: how a specification holds the choice of one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.steps.stepping import DEFAULT, Method, method_for


@dataclass(frozen=True)
class Choice:
    """The methods of one step.

    Attributes
    ----------
    default : Method
        Holds for everything not named.
    named : tuple of (str, Method)
        By id of indicator or node, in alphabetical order.
    """

    default: Method
    named: tuple[tuple[str, Method], ...] = ()

    def of(self, name: str) -> Method:
        """The method of an indicator or node."""
        return dict(self.named).get(name, self.default)

    @property
    def names(self) -> tuple[str, ...]:
        """Ids that have a method of their own."""
        return tuple(name for name, _ in self.named)

    @property
    def methods(self) -> tuple[Method, ...]:
        """Every method chosen, the default first."""
        return (self.default, *(method for _, method in self.named))

    def among(self, names: Iterable[str]) -> dict[str, Method]:
        """Methods of those named here that are among some names, with the default; as the steps take it."""
        there = set(names)
        return {DEFAULT: self.default, **{name: method for name, method in self.named if name in there}}

    def written(self) -> Any:
        """As a file holds it: a name or a mapping, with only the parameters that are not the method's own."""
        default = written(self.default)
        return {DEFAULT: default, **{name: written(method) for name, method in self.named}} if self.named else default


def written(method: Method) -> Any:
    """A method as a file holds it: its name alone where all parameters are its own."""
    given = method.model_dump(mode="json", exclude_defaults=True)
    given.pop("method", None)
    return {"method": method.key(), **given} if given else method.key()


def read_choice(given: Any, menu: Iterable[type[Method]], *, step: str, default: Method) -> Choice:
    """Read a choice from a method, a name, a mapping with ``method``, or a mapping from ids to those.

    Raises
    ------
    ValueError
        Every method that is unknown or refuses its parameters, with the id it was given for.
    """
    kinds = list(menu)
    if isinstance(given, Choice):
        given = {DEFAULT: given.default, **dict(given.named)}
    table = given if isinstance(given, Mapping) and "method" not in given else {DEFAULT: given}
    found: dict[str, Method] = {}
    faults: list[str] = []
    for name, choice in table.items():
        try:
            if not isinstance(choice, (Method, str, Mapping)):
                message = f"`{step}`: {choice!r} is no method; give a name, a mapping with 'method' or a method"
                raise SpecError(message)
            found[str(name)] = method_for(choice, kinds, step=step)
        except SpecError as error:
            faults.append(str(error) if name == DEFAULT else f"{name}: {error}")
    if faults:
        raise ValueError("; ".join(faults))
    chosen = found.pop(DEFAULT, default)
    return Choice(chosen, tuple(sorted(found.items(), key=lambda pair: pair[0])))


def choice_of(menu: Iterable[type[Method]], *, step: str, default: Method) -> tuple[Any, ...]:
    """What makes a field of a specification a :class:`Choice`: reading, writing and JSON schema.

    Parameters
    ----------
    menu : iterable of Method classes
        What the step offers.
    step : str
        Named in messages.
    default : Method
        Used where a mapping of ids names none.
    """
    kinds = tuple(menu)
    one = {"anyOf": [{"enum": [k.key() for k in kinds], "type": "string"}, *(_schema_of(k) for k in kinds)]}
    by_id = {"type": "object", "additionalProperties": one, "not": {"required": ["method"]}}
    return (
        BeforeValidator(lambda given: read_choice(given, kinds, step=step, default=default)),
        PlainSerializer(lambda choice: choice.written(), return_type=Any),
        WithJsonSchema({"anyOf": [*one["anyOf"], by_id], "default": written(default)}),
    )


def _schema_of(kind: type[Method]) -> dict[str, Any]:
    """JSON schema of a method, which must say its name where other parameters are given."""
    schema = _flat(kind.model_json_schema())
    schema["required"] = sorted({"method", *schema.get("required", [])})
    schema.pop("description", None)
    return schema


def _flat(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema without references, so that it can stand inside another."""
    shared = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, Mapping):
            if "$ref" in part:
                return resolved(shared[str(part["$ref"]).rsplit("/", 1)[1]])
            return {k: resolved(v) for k, v in part.items()}
        return [resolved(v) for v in part] if isinstance(part, list) else part

    found: dict[str, Any] = resolved(schema)
    return found
