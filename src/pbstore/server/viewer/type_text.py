"""JSON schemas in words: what a value is and within which bounds."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def type_text(schema: Schema) -> str:
    """Return words like `integer, 1 to 9` or `list of text`."""
    return ", ".join([kind_text(schema), *_bounds(schema)])


def kind_text(schema: Schema) -> str:
    """Return the kind of value without its bounds."""
    if "anyOf" in schema:
        return " or ".join(type_text(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return "one of"
    match schema.get("type"):
        case "array":
            return f"list of {_plural(schema['items'])}"
        case "object" if "properties" not in schema:
            return f"object: name → {type_text(schema['additionalProperties'])}"
        case "string":
            return "text"
        case None:
            return "anything"
        case str(name):
            return name
    return "anything"


def _plural(item: Schema) -> str:
    return (
        {"object": "objects", "string": "texts"}.get(item.get("type", ""), type_text(item))
        if "enum" not in item
        else ("values")
    )


def _bounds(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"at least {low}"
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if longest is not None:
        yield f"{shortest} to {longest} characters" if shortest else f"up to {longest} characters"


def choices(schema: Schema) -> list[str]:
    """Return the words that a value is one of, also those of the items of a list."""
    if schema.get("type") == "array":
        return choices(schema["items"])
    return list(schema.get("enum", ()))


def pattern(schema: Schema) -> str | None:
    """Return the regular expression that text has to match."""
    text: str | None = schema.get("pattern")
    return None if text is None else text.removeprefix("^(?:").removesuffix(")$")


def members(schema: Schema) -> Schema | None:
    """Return the object schema whose members are worth a table: of the value itself, or of the items of a list."""
    if "anyOf" in schema:
        return next(filter(None, map(members, schema["anyOf"])), None)
    if schema.get("type") == "array":
        return members(schema["items"])
    if schema.get("type") == "object" and "properties" not in schema:
        return members(schema["additionalProperties"])
    return schema if schema.get("properties") else None
