"""Parameters of a storage host's calls, checked with its sentences (pve-api.md 1)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pbstore.api.schema import Parameter
from pbstore.errors import FormatError, ParameterError

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"


def parse_parameters(parameters: Iterable[Parameter], raw: Mapping[str, object]) -> dict[str, Any]:
    """Return the values by wire name; optional parameters that are not given have their default, or are left out.

    Raises:
        ParameterError: unknown names, missing parameters or unfit values, all of them at once.
    """
    known = {parameter.name: parameter for parameter in parameters}
    errors = {name: UNKNOWN for name in raw if name not in known}
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if name not in raw:
            if not parameter.optional:
                errors[name] = MISSING
            elif parameter.default is not None:
                values[name] = parameter.default
            continue
        try:
            values[name] = parameter.schema.parse(raw[name])
        except FormatError as error:
            errors[name] = str(error)
    if errors:
        raise ParameterError(errors)
    return values
