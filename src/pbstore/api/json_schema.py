"""Shapes as JSON schemas (draft 2020-12), the words that OpenAPI documents are written in."""

from collections.abc import Sequence

from pbstore.api.result import Items, MapOf, Nothing, Number, Object, OneOf, Property, Result, Text
from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Shape, String

Json = dict[str, object]
_SIMPLE: dict[type[Shape], str] = {Boolean: "boolean", Number: "number", Text: "string", Nothing: "null"}
_UNBOUNDED = Integer(description="any").maximum


def json_schema(shape: Shape) -> Json:
    """Return what a value of this shape has to be.

    Raises:
        TypeError: nothing is known of this kind of shape.
    """
    return {**_kind(shape), "description": shape.description}


def object_schema(properties: Sequence[Property]) -> Json:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": {member.name: json_schema(member.shape) for member in properties},
        "required": [member.name for member in properties if not member.optional],
        "additionalProperties": False,
    }


def envelope_schema(result: Result) -> Json:
    """Return the schema of an answer of the format `json`."""
    data = Property(name="data", shape=result.data)
    return object_schema((data, *result.beside))


def _kind(shape: Shape) -> Json:
    match shape:
        case String():
            return _string(shape)
        case Integer(minimum=minimum, maximum=maximum):
            upper: Json = {} if maximum == _UNBOUNDED else {"maximum": maximum}
            return {"type": "integer", "minimum": minimum, **upper}
        case Enum(values=values):
            return {"type": "string", "enum": list(values)}
        case ListOf(item=item, maximum_items=count):
            return {"type": "array", "items": json_schema(item), "maxItems": count}
        case Items(item=item):
            return {"type": "array", "items": json_schema(item)}
        case Object(properties=properties):
            return object_schema(properties)
        case MapOf(value=value):
            return {"type": "object", "additionalProperties": json_schema(value)}
        case OneOf(choices=choices):
            return {"anyOf": [json_schema(choice) for choice in choices]}
    if type(shape) in _SIMPLE:
        return {"type": _SIMPLE[type(shape)]}
    raise TypeError(f"no JSON schema for {type(shape).__name__}")


def _string(shape: String) -> Json:
    schema: Json = {"type": "string", "maxLength": shape.maximum_length}
    if shape.minimum_length:
        schema["minLength"] = shape.minimum_length
    if shape.pattern is not None:
        schema["pattern"] = f"^(?:{shape.pattern})$"
    return schema
