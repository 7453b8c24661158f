"""`pxar`: archives of directories, whole and in two files, extracted in whole and in part, and what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_runner import Outcome, Runner
from tree_snapshot import tree_snapshot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user: run as root")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small tree."""
    path = tmp_path / "source"
    for name in ("etc/conf.d/a.conf", "etc/conf.d/b.bak", "etc/hosts", "var/log", "z.conf"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)
    (path / "link").symlink_to("etc/hosts")
    os.link(path / "z.conf", path / "zz.conf")
    return path


@pytest.fixture
def archive(pxar: Runner, source: Path) -> Path:
    """A version 1 archive of the tree."""
    path = source.parent / "a.pxar"
    succeed(pxar("create", path, source))
    return path


@pytest.fixture
def split(pxar: Runner, source: Path) -> tuple[Path, Path]:
    """A split archive of the tree."""
    metadata, payload = source.parent / "a.mpxar", source.parent / "a.ppxar"
    succeed(pxar("create", metadata, source, "--payload-output", payload, "--exclude", "*.bak"))
    return metadata, payload


def succeed(outcome: Outcome, stderr: str = "") -> str:
    assert (outcome.exit_code, outcome.stderr) == (0, stderr)
    return outcome.stdout


def fail(outcome: Outcome) -> str:
    assert (outcome.exit_code, outcome.stdout) == (255, "")
    return outcome.stderr


def names(path: Path) -> set[str]:
    """Files and symlinks below a directory."""
    return {str(found.relative_to(path)) for found in path.rglob("*") if found.is_symlink() or not found.is_dir()}


def test_a_tree_comes_back(pxar: Runner, source: Path, archive: Path, tmp_path: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o640
    assert succeed(pxar("extract", archive, tmp_path / "target")) == ""
    assert tree_snapshot(tmp_path / "target") == tree_snapshot(source)


def test_a_split_archive_comes_back(pxar: Runner, source: Path, split: tuple[Path, Path], tmp_path: Path) -> None:
    metadata, payload = split
    prelude = tmp_path / "prelude"
    arguments = ("extract", metadata, tmp_path / "target", "--payload-input", payload, "--prelude-target", prelude)
    succeed(pxar(*arguments))
    assert prelude.read_text() == r'{"exclude-patterns":"*.bak\n"}'
    (source / "etc" / "conf.d" / "b.bak").unlink()
    assert names(tmp_path / "target") == names(source)
    again = pxar("extract", metadata, tmp_path / "again", "--payload-input", payload, "--prelude-target", prelude)
    assert f'failed to write "{prelude}": File exists' in fail(again)


def test_an_archive_without_prelude(pxar: Runner, archive: Path, tmp_path: Path) -> None:
    prelude = tmp_path / "prelude"
    outcome = pxar("extract", archive, tmp_path / "target", "--prelude-target", prelude)
    succeed(outcome, f"warning: the archive has no prelude: {prelude} was not written\n")


def test_the_target_is_here_by_default(
    pxar: Runner, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    succeed(pxar("extract", archive, "--pattern", "z.conf"))
    assert names(tmp_path / "here") == {"z.conf"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--pattern", "z.conf"], {"z.conf"}),
        (["--pattern", "*.conf"], {"etc/conf.d/a.conf", "z.conf", "zz.conf"}),
        (["--pattern", "etc", "--pattern", "!conf.d"], {"etc/hosts"}),
        (["--pattern", "etc", "--files-from", "FILE"], {"etc/hosts", "var/log"}),
        (["--files-from", "FILE"], {"var/log"}),
        (["--pattern", "/zz.conf"], {"zz.conf"}),
    ],
)
def test_patterns_choose(pxar: Runner, archive: Path, tmp_path: Path, arguments: list[str], expected: set[str]) -> None:
    (tmp_path / "FILE").write_text("!conf.d\n\n/var\n")
    words = [str(tmp_path / word) if word == "FILE" else word for word in arguments]
    succeed(pxar("extract", archive, tmp_path / "target", *words))
    assert names(tmp_path / "target") == expected
    for path in expected:
        assert (tmp_path / "target" / path).read_text() == path.replace("zz", "z")


def test_nothing_matches(pxar: Runner, archive: Path, tmp_path: Path) -> None:
    outcome = pxar("extract", archive, tmp_path / "target", "--pattern", "nothing")
    succeed(outcome, "warning: nothing in the archive matches the patterns\n")


def from_stdin(pxar: Runner, archive: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = pxar.command("extract", "-", *words)
    data = archive.read_bytes()
    done = subprocess.run(command, env=pxar.variables(), input=data, capture_output=True, check=False)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_an_archive_from_a_pipe(pxar: Runner, source: Path, archive: Path, tmp_path: Path) -> None:
    done = from_stdin(pxar, archive, tmp_path / "target")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree_snapshot(tmp_path / "target") == tree_snapshot(source)
    done = from_stdin(pxar, archive, tmp_path / "part", "--pattern", "zz.conf")
    assert done.returncode == 255
    expected = 'failed to create the hard link "zz.conf": "z.conf" is not among what is extracted\n'
    assert done.stderr.startswith(expected)


def test_metadata_from_a_pipe(pxar: Runner, split: tuple[Path, Path], tmp_path: Path) -> None:
    done = from_stdin(pxar, split[0], tmp_path / "target", "--payload-input", split[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "target" / "etc" / "hosts").read_text() == "etc/hosts"


def test_an_archive_in_the_middle_of_a_file(pxar: Runner, archive: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.write_bytes(b"four" + archive.read_bytes())
    with both.open("rb") as file:
        file.seek(4)
        command = pxar.command("extract", "-", tmp_path / "target")
        subprocess.run(command, env=pxar.variables(), stdin=file, check=True)
    assert (tmp_path / "target" / "z.conf").exists()


def test_what_exists_stays_unless_it_may_be_replaced(pxar: Runner, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "etc").mkdir(parents=True)
    (target / "z.conf").write_text("old")
    strict = fail(pxar("extract", archive, target, "--strict"))
    assert (
        strict == 'Error: error extracting archive - failed to create the directory "etc": File exists (os error 17)\n'
    )
    lines = fail(pxar("extract", archive, target)).splitlines()
    assert lines == [
        'failed to create the directory "etc": File exists (os error 17)',
        'failed to create the file "z.conf": File exists (os error 17)',
        "Error: error extracting archive - there were errors: 2 entries could not be extracted",
    ]
    assert (target / "z.conf").read_text() == "old"
    assert (target / "var" / "log").exists()
    partly = pxar("extract", archive, target, "--allow-existing-dirs", "--overwrite-files", "--overwrite-hardlinks")
    assert 'failed to create the symlink "link": File exists' in fail(partly)
    assert (target / "z.conf").read_text() == "z.conf"
    succeed(pxar("extract", archive, target, "--overwrite"))


@pytest.mark.parametrize(
    ("words", "stderr"),
    [
        (("create", "NEW", "MISSING"), 'Error: failed to open the directory "MISSING": No such file or directory'),
        (("create", "ARCHIVE", "."), 'Error: failed to create "ARCHIVE": File exists'),
        (("create", "NEW", ".", "--exclude", "["), "Error: error in exclude pattern "),
        (("create", "NEW", ".", "--entries-max", "0"), "Error: parameter verification failed - 'entries-max': "),
        (("extract", "MISSING"), 'Error: error extracting archive - failed to open "MISSING": No such file'),
        (("extract", "ARCHIVE", "T", "--pattern", "["), "Error: error extracting archive - error in match pattern "),
        (("extract", "ARCHIVE", "T", "--files-from", "MISSING"), "Error: MISSING: No such file or directory\n"),
        (("extract", "METADATA", "T"), "Error: error extracting archive - this is the metadata of a split archive"),
        (
            ("extract", "ARCHIVE", "T", "--payload-input", "PAYLOAD"),
            "Error: error extracting archive - the archive is not ",
        ),
        (("list", "PAYLOAD"), "Error: PAYLOAD: damaged pxar archive at byte 0: "),
        (("list", "MISSING"), 'Error: failed to open "MISSING": No such file or directory'),
        (("list",), "Error: parameter verification failed - 'archive': missing argument\nUsage: pxar list <archive> "),
        (("mount", "ARCHIVE", "T"), "Error: no such command 'mount'\n"),
    ],
)
def test_errors(
    pxar: Runner,
    archive: Path,
    split: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    stderr: str,
) -> None:
    archive.rename(tmp_path / "ARCHIVE")
    split[0].rename(tmp_path / "METADATA")
    split[1].rename(tmp_path / "PAYLOAD")
    monkeypatch.chdir(tmp_path)
    assert fail(pxar(*words)).startswith(stderr)
    assert not (tmp_path / "NEW").exists()


def test_a_damaged_archive_is_listed_up_to_the_damage(pxar: Runner, archive: Path, tmp_path: Path) -> None:
    listed = succeed(pxar("list", archive)).splitlines()
    assert listed[:3] == ['"/"', '"/etc"', '"/etc/conf.d"']
    (tmp_path / "cut").write_bytes(archive.read_bytes()[:-500])
    outcome = pxar("list", tmp_path / "cut")
    assert (outcome.exit_code, outcome.stdout.splitlines()[:3]) == (255, listed[:3])
    assert outcome.stderr.startswith(f"Error: {tmp_path / 'cut'}: truncated pxar archive: it ends at byte ")


def test_kinds_can_be_left_out(pxar: Runner, source: Path, archive: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "fifo")
    os.setxattr(source / "z.conf", "user.a", b"b")
    everything, less = tmp_path / "all.pxar", tmp_path / "less.pxar"
    succeed(pxar("create", everything, source))
    succeed(pxar("create", less, source, "--no-fifos", "--no-xattrs", "true"))
    assert '"/fifo"' in succeed(pxar("list", everything))
    assert '"/fifo"' not in succeed(pxar("list", less))
    succeed(pxar("extract", everything, tmp_path / "target", "--no-fifos", "--no-xattrs"))
    assert not (tmp_path / "target" / "fifo").exists()
    assert os.listxattr(tmp_path / "target" / "z.conf") == []
    (tmp_path / "target" / "again").mkdir()


def test_long_listing(pxar: Runner, source: Path, archive: Path, split: tuple[Path, Path]) -> None:
    (line,) = (
        line
        for line in succeed(pxar("list", archive, environment={"PXAR_LOG": "debug"})).splitlines()
        if line.endswith('"/zz.conf" -> "z.conf"')
    )
    assert line.startswith("L---------   0/0           19")
    outcome = pxar("list", split[0], environment={"PXAR_LOG": "debug"})
    assert outcome.stderr == "pxar format version 'Version2'\nprelude of size 30 B\n"
    assert outcome.stdout.splitlines()[3].endswith('       17 "/etc/conf.d/a.conf" 16')


def test_warnings_do_not_fail(pxar: Runner, source: Path, tmp_path: Path) -> None:
    (source / ".pxarexclude").write_text("[bad\n")
    outcome = pxar("create", tmp_path / "b.pxar", source)
    assert outcome.exit_code == 0
    assert "[bad" in outcome.stderr
    quiet = pxar("create", tmp_path / "c.pxar", source, environment={"PXAR_LOG": "error"})
    succeed(quiet)


def test_help_and_completion(pxar: Runner) -> None:
    usage = succeed(pxar("help"))
    assert usage.split("\n\n")[0] == "Usage:"
    for line in (
        "pxar create <archive> <source> [OPTIONS]",
        "pxar extract <archive> [<target>] [OPTIONS]",
        "pxar list <archive> [OPTIONS]",
    ):
        assert line in usage
    line = "pxar extract a.pxar --ov"
    completed = pxar("bashcomplete", environment={"COMP_LINE": line, "COMP_POINT": str(len(line))})
    assert succeed(completed).split() == [
        "--overwrite",
        "--overwrite-files",
        "--overwrite-hardlinks",
        "--overwrite-symlinks",
    ]


@pytest.mark.root
@needs_root
def test_an_ordinary_user_gets_all_but_what_needs_root(source: Path, tmp_path: Path) -> None:
    for path in (tmp_path, *tmp_path.parents):
        if path.name.startswith(("pytest-", "popen-", "test_")):
            path.chmod(0o755)
    os.mknod(source / "device", 0o020644, os.makedev(1, 3))
    os.chown(source / "z.conf", 1234, 1234)
    (source / "z.conf").chmod(0o4755)
    os.setxattr(source / "etc" / "hosts", "trusted.a", b"b")
    (tmp_path / "work").mkdir()
    os.chown(tmp_path / "work", 65534, 65534)
    code = (
        "import os, sys\n"
        "os.umask(0o022)\n"
        "from pbstore.cli.program import run_program\n"
        "from pbstore.cli.pxar.main import PROGRAM\n"
        "run_program(PROGRAM, ['create', 'b.mpxar', sys.argv[1], '--payload-output', 'b.ppxar'], {})\n"
        "os.chmod('b.mpxar', 0o644); os.chmod('b.ppxar', 0o644)\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "os.chdir('work')\n"
        "arguments = ['../b.mpxar', '--payload-input', '../b.ppxar']\n"
        "print(run_program(PROGRAM, ['extract', *arguments, 'one'], {}))\n"
        "print(run_program(PROGRAM, ['extract', *arguments, 'two', '--no-device-nodes'], {}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["255", "0"]
    summary = [
        f"warning: {what} could not be restored for {count} entries: not permitted"
        for what, count in (
            ("the owner", 10),
            ("set-user-id and set-group-id bits (as the owner was not restored)", 1),
            ("extended attributes or file capabilities", 1),
        )
    ]
    device = (
        'failed to create the device node (only root can; or leave device nodes out) "device": Operation not permitted'
    )
    lines = done.stderr.splitlines()
    assert lines[0].startswith(device)
    assert lines[1:5] == [
        *summary,
        "Error: error extracting archive - there were errors: 1 entries could not be extracted",
    ]
    assert lines[5:] == summary
    (source / "device").unlink()
    assert names(tmp_path / "work" / "one") == names(source)
    assert (tmp_path / "work" / "one" / "z.conf").stat().st_mode & 0o7777 == 0o755
