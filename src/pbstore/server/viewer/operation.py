"""One operation of an OpenAPI document as HTML: who may call it, parameters, result."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from pbstore.server.viewer.type_text import Schema, choices, members, pattern, type_text

_JSON = "application/json"


def operation_html(path: str, http_method: str, operation: Mapping[str, Any]) -> str:
    """Return the section of one method of a path."""
    rows = [*_parameter_rows(operation), *_body_rows(operation)]
    parts = (
        f'<h2><span class="{http_method}">{http_method.upper()}</span> {escape(operation["summary"])}</h2>',
        f"<p>Who may call it: {escape(operation['x-permission'])}.</p>",
        _table(("Parameter", "", "Value", "Meaning"), rows) if rows else "<p>It takes no parameters.</p>",
        _result_html(operation["responses"]),
    )
    return f"<section>{''.join(parts)}</section>"


def _parameter_rows(operation: Mapping[str, Any]) -> Iterator[str]:
    for parameter in operation["parameters"]:
        place = "path" if parameter["in"] == "path" else ""
        yield _row(parameter["name"], parameter["schema"], is_required=parameter["required"], place=place)


def _body_rows(operation: Mapping[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if _JSON in content:
        schema = content[_JSON]["schema"]
        for name, value in schema["properties"].items():
            yield _row(name, value, is_required=name in schema["required"])
    elif content:
        yield "<tr><td><em>body</em></td><td></td><td>bytes</td><td>sent as they are</td></tr>"


def _row(name: str, schema: Schema, *, is_required: bool, place: str = "") -> str:
    need = place or ("" if is_required else "optional")
    cells = (
        f"<td><code>{escape(name)}</code></td>",
        f"<td><small>{need}</small></td>",
        f"<td>{''.join(_value_html(schema))}</td>",
        f"<td>{escape(schema['description'])}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _value_html(schema: Schema) -> Iterator[str]:
    yield escape(type_text(schema))
    words = choices(schema)
    if words:
        yield f": {', '.join(f'<code>{escape(word)}</code>' for word in words)}"
    expression = pattern(schema)
    if expression is not None:
        yield f"<br><small>matches <code>{escape(expression)}</code></small>"
    if "default" in schema:
        default = schema["default"]
        text = str(default).lower() if isinstance(default, bool) else str(default)
        yield f"<br><small>default {f'<code>{escape(text)}</code>' if text else 'empty'}</small>"


def _result_html(responses: Mapping[str, Any]) -> str:
    if "101" in responses:
        return f"<h3>Result</h3><p>{escape(responses['101']['description'])}</p>"
    answer = responses["200"]
    parts = ["<h3>Result</h3>"]
    for media_type, content in answer["content"].items():
        if "schema" in content:
            parts.append("".join(_envelope_html(content["schema"])))
        else:
            also = "On request, " if len(answer["content"]) > 1 else ""
            parts.append(f"<p>{also}<code>{escape(media_type)}</code>: {escape(answer['description'])}.</p>")
    return "".join(parts)


def _envelope_html(envelope: Schema) -> Iterator[str]:
    properties = dict(envelope["properties"])
    data = properties.pop("data")
    yield f"<p><code>data</code> ({''.join(_value_html(data))}): {escape(data['description'])}</p>"
    yield _members_html(data)
    if properties:
        yield "<p>Beside <code>data</code>:</p>"
        yield _members_html(envelope, leave_out=("data",))


def _members_html(schema: Schema, *, leave_out: Iterable[str] = ()) -> str:
    """Return a table of members, those of members one level further in."""
    shown = members(schema)
    if shown is None:
        return ""
    rows = []
    for name, value in shown["properties"].items():
        if name not in leave_out:
            rows.append(_row(name, value, is_required=name in shown["required"]))
            inner = _members_html(value)
            if inner:
                rows.append(f'<tr class="inner"><td colspan="4">{inner}</td></tr>')
    return _table(("Member", "", "Value", "Meaning"), rows)


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
