"""The manual page of a program, in the format of man(7), made from the command descriptions."""

from collections.abc import Iterator

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command, Example, is_list
from pbstore.cli.manual import Chapter
from pbstore.cli.program import Program
from pbstore.cli.usage import all_commands, command_line, parameter_head


def man_page(program: Program, version: str) -> str:
    """The page, section 1."""
    lines = [
        f'.TH "{program.name.upper()}" "1" "" "pbstore {version}" "User Commands"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_text(program.name)} \\- {_text(program.description.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_text(program.name)}",
        r"\fICOMMAND\fR [\fIARGUMENT\fR...] [\fIOPTION\fR...]",
        ".SH DESCRIPTION",
        _text(program.description),
        "Options may stand anywhere behind the command, as",
        r"\fB\-\-option value\fR or \fB\-\-option=value\fR;",
        r"a lone \fB\-\-\fR ends them. Command words may be abbreviated as long as they are unambiguous.",
        ".SH COMMANDS",
    ]
    for words, command in all_commands(program.commands, (program.name,)):
        lines += _command(" ".join(words), command)
    if program.commands.aliases:
        lines.append(".SH SHORT FORMS")
        for alias, path in sorted(program.commands.aliases.items()):
            lines += [".TP", rf"\fB{_text(alias)}\fR", f"is {_text(' '.join(path))}"]
    for chapter in program.manual:
        lines += _chapter(chapter)
    return "\n".join(lines) + "\n"


def _command(line: str, command: Command) -> Iterator[str]:
    yield f".SS {_text(line.partition(' ')[2])}"
    yield rf"\fB{_text(command_line(line, command))}\fR"
    yield ".PP"
    yield _text(command.description)
    for parameter in command.positional_parameters:
        yield from _parameter(f"<{parameter.name}>", parameter)
    for parameter in command.option_parameters:
        yield from _parameter(f"--{parameter.name}", parameter)
    for example in command.examples:
        yield from _example(line.partition(" ")[0], example)


def _parameter(head: str, parameter: Parameter) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_text(head)}\fR \fI{_text(parameter_head(parameter))}\fR"
    yield _text(parameter.schema.description + (" Can be specified more than once." if is_list(parameter) else ""))


def _example(program: str, example: Example) -> Iterator[str]:
    yield ".PP"
    yield f"{_text(example.meaning)}:"
    yield from (".RS", ".nf", _text(f"{program} {example.line}"), ".fi", ".RE")


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f".SH {_text(chapter.title.upper())}"
    for entry in chapter.entries:
        yield from (".TP", rf"\fB{_text(entry.term)}\fR", _text(entry.meaning))


def _text(text: str) -> str:
    """Text that roff shows as it is."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", "")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
