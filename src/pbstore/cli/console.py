"""The terminal and the environment as commands see them: results to stdout, log lines to stderr, questions."""

import codecs
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from pbstore.cli import prompt
from pbstore.cli.colour import RED, YELLOW, coloured
from pbstore.cli.output_format import chosen_format, json_text
from pbstore.cli.printable import printable_lines
from pbstore.cli.table import Column, TableStyle, object_table, render_table
from pbstore.errors import ConfigError

LEVELS = ("off", "error", "warn", "info", "debug", "trace")


class Console:
    """Made once a run from the environment; streams are looked up when used, so that they can be redirected."""

    def __init__(self, environment: Mapping[str, str], *, may_ask: bool = True, log_variable: str = "PBS_LOG"):
        self.environment = environment
        self._may_ask = may_ask
        self._endings = ExitStack()
        self.log_variable = log_variable
        level = environment.get(log_variable) or "info"
        self._level = LEVELS.index(level) if level in LEVELS else LEVELS.index("info")

    def at_end(self, ending: Callable[[], None]) -> None:
        """Have `ending` called when the command is over, however it ends."""
        self._endings.callback(ending)

    def end(self) -> None:
        """The command is over."""
        self._endings.close()

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked."""
        return self._may_ask and prompt.is_terminal(sys.stdin)

    @property
    def shows_progress(self) -> bool:
        """Whether stderr is a terminal, so that a progress bar makes sense."""
        return prompt.is_terminal(sys.stderr) and self._level >= LEVELS.index("info")

    def logs(self, level: str) -> bool:
        """Whether lines of that level are wanted, as the program's variable says (`PBS_LOG`)."""
        return LEVELS.index(level) <= self._level

    def log(self, level: str, text: str) -> None:
        """Write a line to stderr. The work goes on if that has been closed: a backup is worth more than its log."""
        if self.logs(level):
            shown = printable_lines(text)
            if level == "warn":
                shown = coloured(shown, YELLOW, sys.stderr, self.environment)
            _say(shown)

    def error(self, text: str, *, prefix: str = "Error:") -> None:
        """Say on stderr why the command failed."""
        head = f"{coloured(prefix, RED, sys.stderr, self.environment)} " if prefix else ""
        _say(f"{head}{printable_lines(text)}")

    def info(self, text: str) -> None:
        """Write an informational line to stderr."""
        self.log("info", text)

    def warn(self, text: str) -> None:
        """Write a warning line to stderr."""
        self.log("warn", text)

    def print(self, text: str) -> None:
        """Write a result line to stdout."""
        print(text, flush=True)

    def print_parts(self, parts: Iterable[str]) -> None:
        """Write a long result to stdout as it comes; line ends are in the parts."""
        for part in parts:
            sys.stdout.write(part)
        sys.stdout.flush()

    def write(self, text: str) -> None:
        """Write text that has its own line ends to stdout."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def print_table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        border: bool = True,
        header: bool = True,
    ) -> None:
        """Print rows as a table; the environment too may do without border or header."""
        style = self._table_style()
        style = replace(style, border=style.border and border, header=style.header and header)
        self.write(render_table(columns, rows, style))

    def print_rows(
        self,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        output_format: str | None,
        *,
        wire: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Print rows as a table, or as JSON: `wire` then, where the objects of the API differ from the rows."""
        chosen = self.format(output_format)
        if chosen == "text":
            self.print_table(columns, rows)
        else:
            self.print(json_text(rows if wire is None else wire, chosen))

    def print_object(self, names: Sequence[str], values: Mapping[str, Any], output_format: str | None) -> None:
        """Print values as a table Name/Value of the given names, or all of them as JSON."""
        chosen = self.format(output_format)
        if chosen != "text":
            self.print(json_text(values, chosen))
            return
        self.write(object_table(names, values, self._table_style()))

    def format(self, option: str | None) -> str:
        """The output format to use."""
        return chosen_format(option, self.environment)

    def print_headless_table(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """Print rows as a table that never has a header."""
        self.write(render_table(columns, rows, replace(self._table_style(), header=False)))

    def print_plain_columns(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """Print rows as a table that never has a border or a header."""
        self.write(render_table(columns, rows, replace(self._table_style(), border=False, header=False)))

    def ask_password(self, question: str, *, echo: bool = True) -> str:
        """Ask for an existing password; `echo` shows a `*` for each character.

        Raises:
            NoTerminalError: stdin is no terminal.
        """
        if not self._may_ask:
            raise prompt.NoTerminalError("no password input mechanism available")
        return prompt.read_password(question, sys.stdin, sys.stderr, echo=echo)

    def ask_new_password(self, question: str) -> str:
        """Ask twice for a password to be set.

        Raises:
            NoTerminalError: stdin is no terminal.
            PbstoreError: too short, or the two differ.
        """
        return prompt.read_new_password(question, sys.stdin, sys.stderr)

    def confirm(self, question: str) -> bool:
        """Ask a yes or no question."""
        return prompt.confirm(question, sys.stdin, sys.stderr)

    def agrees(self, question: str) -> bool:
        """Ask a question whose answer is no unless it is yes, also where nobody answers."""
        return prompt.agrees(question, sys.stdin, sys.stdout)

    def require_utf8(self, name: str) -> str | None:
        """Return a variable, None when unset.

        Raises:
            ConfigError: its value is not UTF-8.
        """
        value = self.environment.get(name)
        if value is not None and any("\udc80" <= character <= "\udcff" for character in value):
            raise ConfigError(f"environment variable {name} is not valid UTF-8")
        return value

    def _table_style(self) -> TableStyle:
        stdout: TextIO = sys.stdout
        width = shutil.get_terminal_size().columns if prompt.is_terminal(stdout) else None
        return TableStyle(
            border="PROXMOX_OUTPUT_NO_BORDER" not in self.environment,
            header="PROXMOX_OUTPUT_NO_HEADER" not in self.environment,
            utf8=_is_utf8(stdout),
            width=width,
        )


def _is_utf8(stream: TextIO) -> bool:
    try:
        return codecs.lookup(stream.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


def drop_stream(stream: TextIO) -> None:
    """Write no more to a stream that failed: the interpreter must not complain again when it flushes at exit."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        drop_stream(sys.stderr)
