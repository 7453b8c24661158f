"""The grammar of section files, and writing them without loss (config-files.md 2)."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.config.section_config import SectionFile
from pbstore.errors import ConfigError

PATH = Path("/etc/x.cfg")
BY_HAND = b"""# our stores
datastore: store1
\tpath /backup/store1
\tcomment  main
    # by hand
\tverify-new\tyes


remote:lina
\thost lina.example
\tfuture-key some: value
# the end
"""


def parse(content: bytes) -> SectionFile:
    return SectionFile.parse(content, PATH)


def pairs(file: SectionFile, section_id: str) -> list[tuple[str, str]]:
    section = file.get(section_id)
    assert section
    return [(entry.key, entry.value) for entry in section.properties]


def test_reading() -> None:
    file = parse(BY_HAND)
    assert [(section.section_type, section.section_id, section.line) for section in file.sections] == [
        ("datastore", "store1", 2),
        ("remote", "lina", 9),
    ]
    assert pairs(file, "store1") == [("path", "/backup/store1"), ("comment", "main"), ("verify-new", "yes")]
    assert pairs(file, "lina") == [("host", "lina.example"), ("future-key", "some: value")]
    assert file.digest == hashlib.sha256(BY_HAND).hexdigest()


def test_comments_are_warnings_with_file_and_line() -> None:
    assert [str(warning).partition(": ")[0] for warning in parse(BY_HAND).warnings] == [
        "/etc/x.cfg:1",
        "/etc/x.cfg:5",
        "/etc/x.cfg:12",
    ]


def test_nothing_changed_means_the_same_bytes() -> None:
    file = parse(BY_HAND)
    file.put("datastore", "store1", [("verify-new", "yes"), ("comment", "main"), ("path", "/backup/store1")])
    assert file.render() == BY_HAND


def test_a_changed_section_is_sorted_and_keeps_its_comment_and_the_rest_its_bytes() -> None:
    file = parse(BY_HAND)
    file.put("datastore", "store1", [("path", "/elsewhere"), ("comment", "main")])
    before, _, after = BY_HAND.partition(b"datastore: store1\n")
    rest = after[after.index(b"\n\n") + 1 :]
    changed = b"datastore: store1\n    # by hand\n\tcomment main\n\tpath /elsewhere\n"
    assert file.render() == before + changed + rest


def test_a_new_section_is_appended_behind_a_blank_line() -> None:
    file = parse(b"")
    file.put("user", "a@pbs", [("comment", "x")])
    file.put("user", "b@pbs", [])
    assert file.render() == b"user: a@pbs\n\tcomment x\n\nuser: b@pbs\n"


def test_a_file_without_a_last_newline_can_be_appended_to() -> None:
    file = parse(b"user: a@pbs")
    file.put("user", "b@pbs", [])
    assert file.render() == b"user: a@pbs\n\nuser: b@pbs\n"


@pytest.mark.parametrize("section_id", ["a", "b", "c"])
def test_removal_takes_the_blank_line_along(section_id: str) -> None:
    file = parse(b"".join([b"t: a\n\tk v\n\n", b"t: b\n\n", b"t: c\n\tk v\n"]))
    file.remove(section_id)
    left = [name for name in "abc" if name != section_id]
    assert [section.section_id for section in file.sections] == left
    assert file.render().count(b"\n\n") == 1
    assert not file.render().endswith(b"\n\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"no header\n", 1),
        (b"t: a\n\n\tk v\n", 3),
        (b"\tk v\n", 1),
        (b"t: a\n\tk\n", 2),
        (b"t:\n", 1),
        (b"1: a\n", 1),
        (b"t: a\n\nu: a\n", 3),
        (b"t: a\x01b\n", 1),
    ],
)
def test_refused_files_name_the_line(content: bytes, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"^/etc/x\.cfg:{line}: "):
        parse(content)


def test_an_empty_value_needs_a_blank() -> None:
    assert pairs(parse(b"t: a\n\tk \n"), "a") == [("k", "")]


def test_control_characters_are_not_written() -> None:
    file = parse(b"")
    with pytest.raises(ConfigError):
        file.put("user", "a@pbs", [("comment", "x\nuser: evil@pbs")])


def test_not_utf8() -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        parse(b"t: \xff\n")


keys = st.from_regex(r"[a-z][a-z\-]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
sections = st.dictionaries(values, st.dictionaries(keys, values, max_size=4), max_size=5)


@given(sections)
def test_round_trip(content: dict[str, dict[str, str]]) -> None:
    file = parse(b"")
    for section_id, properties in content.items():
        file.put("t", section_id, properties.items())
    again = parse(file.render())
    assert {section.section_id: dict(pairs(again, section.section_id)) for section in again.sections} == content
    assert again.render() == file.render()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_kept(content: bytes) -> None:
    try:
        file = parse(content)
    except ConfigError:
        return
    assert file.render() == content
