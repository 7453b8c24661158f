#!/usr/bin/env python3
"""Replays the seeds and known crashes of every fuzz target and, when asked, goes on looking for new ones.

The targets have to be built (`cd fuzz && cargo build --release`), and the compiled module too: it makes the seeds.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hex_file import read_hex, write_hex
from limits import TARGETS, Limits

FUZZ = Path(__file__).resolve().parent
REGRESSIONS = FUZZ / "regressions"
WORK = FUZZ.parent / "target" / "fuzz"

COLUMNS = ["target", "executions", "exec/s", "coverage", "corpus", "heap", "bound", "rss", "limit", "result"]
UNITS = "MiB"


@dataclass(frozen=True)
class Outcome:
    """How a run ended, with libFuzzer's numbers."""

    target: str
    numbers: dict[str, int]
    crash: str | None

    def row(self) -> list[str]:
        """What the table shows."""
        numbers, limits = self.numbers, TARGETS[self.target]
        heap, bound = (f"{numbers[key] / (1 << 20):.2f}" for key in ("peak_heap_bytes", "heap_bound_bytes"))
        counts = [str(numbers[key]) for key in ("executions", "per_second", "coverage", "corpus")]
        memory = [heap, bound, str(numbers["rss_mib"]), str(limits.rss_mib)]
        return [self.target, *counts, *memory, "failed" if self.crash else "ok"]


def main(arguments: Sequence[str]) -> int:
    """Run what the command line asks for; 1 if a target failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=0, help="how long to look in each target (0: only replay)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("target", nargs="*", help="all unless given")
    parser.add_argument("--replay", type=Path, metavar="HEX", help="run one target once, on the input in this file")
    options = parser.parse_args(arguments)
    targets = options.target or list(TARGETS)
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if options.replay:
        return replay_one(targets[0], options.replay)
    write_inputs()
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda target: run(target, options.seconds), targets))
    print_table([outcome.row() for outcome in outcomes])
    crashes = [outcome.crash for outcome in outcomes if outcome.crash]
    for crash in crashes:
        print(f"Error: {crash}", file=sys.stderr)
    return 1 if crashes else 0


def write_inputs() -> None:
    """Lay out seeds and known crashes as the files that libFuzzer wants."""
    # Here, so that one input can be replayed without the compiled module.
    from seeds import seeds

    shutil.rmtree(WORK / "seeds", ignore_errors=True)
    made = seeds()
    if unseeded := set(TARGETS) - set(made):
        raise SystemExit(f"Error: no seeds for {', '.join(unseeded)}")
    for target, inputs in made.items():
        for name, data in inputs.items():
            write(WORK / "seeds" / target / name, data)
    for path in sorted(REGRESSIONS.glob("*/*.hex")):
        write(WORK / "seeds" / path.parent.name / f"known-{path.stem}", read_hex(path))


def write(path: Path, data: bytes) -> None:
    """Write a file in a folder that may not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def program(target: str) -> Path:
    """The built target."""
    found = sorted(WORK.glob(f"*/release/{target}"))
    if not found:
        raise SystemExit(f"Error: {target} is not built: cd fuzz && cargo build --release")
    return found[-1]


def command(target: str, limits: Limits) -> list[str]:
    """The start of a command line, with what each run is held to."""
    return [
        str(program(target)),
        f"-max_len={limits.max_length}",
        f"-rss_limit_mb={limits.rss_mib}",
        f"-timeout={limits.timeout_seconds}",
        f"-artifact_prefix={WORK}/crashes/{target}-",
    ]


def run(target: str, seconds: int) -> Outcome:
    """Replay all inputs of a target, then look for new ones."""
    corpus, seeds = WORK / "corpus" / target, WORK / "seeds" / target
    for folder in (corpus, WORK / "crashes"):
        folder.mkdir(parents=True, exist_ok=True)
    limits = TARGETS[target]
    longest = max(path.stat().st_size for path in seeds.iterdir())
    if longest > limits.max_length:
        raise SystemExit(f"Error: {target} has a seed of {longest} bytes, its limit is {limits.max_length}")
    end = f"-max_total_time={seconds}" if seconds else "-runs=0"
    line = [*command(target, limits), end, "-print_final_stats=1", str(corpus), str(seeds)]
    # In no hurry, and without the trace of a panic, which takes more memory than the target may have.
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    line = ["nice", "-n", "10", *line]
    result = subprocess.run(line, env=environment, capture_output=True, text=True, errors="replace")
    return Outcome(target, statistics(result.stderr), crash_of(target, result))


def statistics(output: str) -> dict[str, int]:
    """LibFuzzer's numbers; 0 for those that are not there because the target failed."""
    patterns = {
        "executions": r"number_of_executed_units: (\d+)",
        "per_second": r"average_exec_per_sec: +(\d+)",
        "coverage": r"cov: (\d+)",
        "corpus": r"corp: (\d+)",
        "peak_heap_bytes": r"peak_heap_bytes: +(\d+)",
        "heap_bound_bytes": r"heap_bound_bytes: +(\d+)",
        "rss_mib": r"peak_rss_mb: +(\d+)",
    }
    found = {name: re.findall(pattern, output) for name, pattern in patterns.items()}
    return {name: int(values[-1]) if values else 0 for name, values in found.items()}


def crash_of(target: str, result: subprocess.CompletedProcess[str]) -> str | None:
    """What went wrong and how to see it again; the input is kept as text."""
    if result.returncode == 0:
        return None
    panic = re.search(r"panicked at .*\n(?:.*\n)?", result.stderr)
    summary = re.search(r"SUMMARY: (.*)", result.stderr) or re.search(r"ERROR: (.*)", result.stderr)
    reason = panic[0] if panic else summary[1] if summary else result.stderr[-2000:]
    reason = " ".join(reason.split())
    written = re.search(r"Test unit written to (\S+)", result.stderr)
    if written is None:
        return f"{target} failed with exit code {result.returncode}: {reason}"
    crash = Path(written[1])
    text = crash.with_suffix(".hex")
    write_hex(text, crash.read_bytes(), reason)
    return (
        f"{target} failed: {reason}\n"
        f"  again: python fuzz/run.py {target} --replay {text.relative_to(FUZZ.parent)}\n"
        f"  once it is mended, keep the file in fuzz/regressions/{target}/ under a name that says what it is"
    )


def replay_one(target: str, path: Path) -> int:
    """Run a target on one input, with everything that it prints."""
    data = WORK / "replay" / target
    write(data, read_hex(path))
    line = [*command(target, TARGETS[target]), "-rss_limit_mb=0", str(data)]
    return subprocess.run(line, env={**os.environ, "RUST_BACKTRACE": "1"}).returncode


def print_table(rows: list[list[str]]) -> None:
    """Print rows below the heads of their columns; memory is in MiB."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    for line in lines:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        print("  ".join(cells), flush=True)
    print(f"({UNITS}: heap and bound of the code under test, rss and limit of the whole process)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
