"""`storage.cfg`: the grammar, its verdicts, and rewriting without loss (pve-storage.md 1)."""

import hashlib

import pytest

from pbstore.errors import ConfigError
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.storage_cfg import StorageFile
from unit.pve.storage_site import StorageSite

FINGERPRINT = ":".join(["09", "54", "ef"] + ["ab"] * 29)
SAMPLE = f"""pbs: backup
        datastore main
        server enya.proxmox.com
        content backup
        fingerprint {FINGERPRINT}
        maxfiles 0
        username archiver@pbs
"""
OFFSITE = """dir: local
	path /var/lib/vz
	content iso,vztmpl,backup

# IPv6, other port, namespace, token, two nodes, old-style retention
pbs: offsite
	disable
	datastore tank
	server 2001:db8::7
	maxfiles 0
	namespace site-a/prod
	nodes pve1,pve2
	port 9007
	username backup@pbs!pve
	prune-backups keep-last=3,keep-daily=13,keep-weekly=8,keep-monthly=11,keep-yearly=9
	max-protected-backups -1
"""
MINIMAL = "pbs: b1\n\tdatastore main\n\tserver a.example\n"


def put(site: StorageSite, storage_id: str, **changes: object) -> str:
    """Change values of a storage and return the file."""
    with StorageFile(site.host).edit() as edit:
        old = edit.loaded.storages[storage_id]
        values = {**old.values, **{key.replace("_", "-"): value for key, value in changes.items()}}
        dropped = [key for key, value in values.items() if value is None]
        kept = {key: value for key, value in values.items() if value is not None}
        edit.put(Storage(storage_id, old.storage_type, kept), dropped)  # type: ignore[arg-type]
    return site.text


def test_the_sample_of_the_chapter(site: StorageSite) -> None:
    loaded = site.load(SAMPLE)
    storage = loaded.storages["backup"]
    assert loaded.warnings == ()
    assert storage.describe(loaded.digest) == {
        "storage": "backup",
        "type": "pbs",
        "datastore": "main",
        "server": "enya.proxmox.com",
        "content": "backup",
        "fingerprint": FINGERPRINT,
        "username": "archiver@pbs",
        "prune-backups": "keep-all=1",
        "shared": 1,
        "digest": hashlib.sha1(SAMPLE.encode()).hexdigest(),  # noqa: S324 - that is what the original uses
    }


def test_every_property(site: StorageSite) -> None:
    loaded = site.load(OFFSITE)
    storage = loaded.storages["offsite"]
    assert loaded.warnings == ()
    assert storage.is_disabled
    assert storage.nodes == ("pve1", "pve2")
    assert storage.number("port") == 9007
    assert storage.number("max-protected-backups") == -1
    assert storage.text("prune-backups") == "keep-daily=13,keep-last=3,keep-monthly=11,keep-weekly=8,keep-yearly=9"
    assert loaded.storages["local"].content == ("backup", "iso", "vztmpl")


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        (
            "\tport abc",
            "line 4 (section 'b1') - unable to parse value of 'port': type check ('integer') failed - got 'abc'",
        ),
        ("\tport 0", "unable to parse value of 'port': value must have a minimum value of 1"),
        ("\tserver b.example", "unable to parse value of 'server': duplicate attribute"),
        ("\tcolour blue", "unable to parse value of 'colour': unexpected property 'colour'"),
        ("\tshared 1", "unable to parse value of 'shared': unexpected property 'shared'"),
        ("\tpassword secret", "unable to parse value of 'password': unexpected property 'password'"),
        ("\tdisable maybe", "unable to parse value of 'disable': type check ('boolean') failed - got 'maybe'"),
        ("\tfingerprint 09:54", "unable to parse value of 'fingerprint': value does not match the regex pattern"),
        (
            "\tnodes a_b",
            "unable to parse value of 'nodes': invalid format - value does not look like a valid node name",
        ),
        ("\tcontent none,backup", "unable to combine 'none' with other content types"),
        ("\tcontent images,backup", "line 4 (section 'b1') - storage does not support content type 'images'"),
        ("\tprune-backups keep-all=1,keep-last=2", "keep-all cannot be set together with other options."),
        ("\tprune-backups keep-x=1", "invalid key in comma-separated list property: keep-x"),
        ("\tport", "unable to parse value of 'port': value is missing"),
        ("username x", "file storage.cfg line 4 - ignore config line: username x"),
        ("  ", "line 4 - ignore config line:    (only an empty line ends a section, and this one has white space)"),
    ],
)
def test_what_is_wrong_with_a_line_costs_that_line_only(site: StorageSite, line: str, warning: str) -> None:
    loaded = site.load(f"{MINIMAL}{line}\n\tusername u@pbs\n")
    assert len(loaded.warnings) == 1
    assert loaded.warnings[0].startswith("file storage.cfg line 4 ")
    assert loaded.warnings[0].endswith(warning)
    storage = loaded.storages["b1"]
    assert (storage.text("server"), storage.text("username")) == ("a.example", "u@pbs")
    assert storage.content == ("backup",)


@pytest.mark.parametrize(
    ("section", "warning"),
    [
        ("foo: x1\n\tserver a\n", "(skip section 'x1'): unsupported type 'foo'"),
        ("pbs: x\n\tserver a\n", "(skip section 'x'): storage ID 'x' cannot be shorter than 2 characters"),
        ("pbs: 1x\n\tserver a\n", "(skip section '1x'): storage ID '1x' contains illegal characters"),
        ("pbs: x1\n\tserver a\n", "(skip section 'x1'): missing value for required option 'datastore'"),
        ("pbs: x1\n\tdatastore main\n\tserver\n", "(skip section 'x1'): missing value for required option 'server'"),
        ("\tserver a\n", "- ignore config line: \\tserver a"),
        ("just words\n", "- ignore config line: just words"),
    ],
)
def test_a_section_that_cannot_be_used_does_not_hurt_others(site: StorageSite, section: str, warning: str) -> None:
    loaded = site.load(f"{section}\n{MINIMAL}")
    assert loaded.warnings[-1] == f"file storage.cfg line 1 {warning}"
    assert set(loaded.storages) == {"b1", "local"}


def test_a_section_that_was_cut_in_the_middle(site: StorageSite) -> None:
    loaded = site.load(f"{MINIMAL}\n\tusername u@pbs\n\tport 9\n\npbs: b2\n\tdatastore x\n\tserv")
    assert set(loaded.storages) == {"b1", "local"}
    assert loaded.storages["b1"].text("username") is None
    assert [warning.partition(" line ")[2] for warning in loaded.warnings] == [
        "5 - ignore config line: \\tusername u@pbs",
        "6 - ignore config line: \\tport 9",
        "10 (section 'b2') - unable to parse value of 'serv': unexpected property 'serv'",
        "8 (skip section 'b2'): missing value for required option 'server'",
    ]


def test_a_type_is_read_in_any_case_and_booleans_without_value(site: StorageSite) -> None:
    loaded = site.load("PBS: b1\n\tdisable\n  datastore   main  \n server\ta.example\n")
    assert loaded.warnings == ()
    assert loaded.storages["b1"].is_disabled
    assert loaded.storages["b1"].text("datastore") == "main"


def test_comments_are_nothing_wherever_they_are(site: StorageSite) -> None:
    loaded = site.load(f"# top\n   # indented\n{MINIMAL}# within\n\t# within\n\tusername u@pbs\n")
    assert loaded.warnings == ()
    assert loaded.storages["b1"].text("username") == "u@pbs"


def test_line_ends_of_other_systems_are_no_empty_lines(site: StorageSite) -> None:
    """As in the original: the second section is part of the first."""
    loaded = site.load((MINIMAL + "\n" + MINIMAL.replace("b1", "b2")).replace("\n", "\r\n"))
    assert set(loaded.storages) == {"b1", "local"}
    assert loaded.storages["b1"].text("server") == "a.example"
    assert "only an empty line ends a section" in loaded.warnings[0]
    assert "ignore config line: pbs: b2" in loaded.warnings[1]


def test_a_later_section_replaces_an_earlier_one(site: StorageSite) -> None:
    loaded = site.load(f"{MINIMAL}\n{MINIMAL.replace('main', 'other')}")
    assert loaded.storages["b1"].text("datastore") == "other"
    with StorageFile(site.host).edit() as edit:
        edit.remove("b1")
    assert site.text == ""


@pytest.mark.parametrize(
    "content", ["", "nfs: local\n\texport /x\n\tserver a\n", "dir: local\n\tpath /somewhere\n\tcontent iso\n"]
)
def test_local_is_always_there(site: StorageSite, content: str) -> None:
    local = site.load(content).storages["local"]
    assert local.storage_type.name == "dir"
    assert local.text("path") == str(site.host.local_path)
    assert local.content == ("backup", "images", "iso", "rootdir", "snippets", "vztmpl")
    assert local.text("prune-backups") == "keep-all=1"


def test_local_is_for_all_nodes(site: StorageSite) -> None:
    assert site.load("dir: local\n\tpath /var/lib/vz\n\tnodes pve7\n").storages["local"].nodes == ()


@pytest.mark.parametrize(("count", "expected"), [("0", "keep-all=1"), ("3", "keep-last=3")])
def test_maxfiles(site: StorageSite, count: str, expected: str) -> None:
    loaded = site.load(f"{MINIMAL}\tmaxfiles {count}\n")
    assert loaded.storages["b1"].text("prune-backups") == expected
    assert put(site, "b1", port=9) == f"{MINIMAL}\tport 9\n\tprune-backups {expected}\n"


def test_other_types_are_kept_and_listed(site: StorageSite) -> None:
    text = "nfs: share\n\texport /x\n\tserver nas\n\tcontent backup,iso\n\tnodes pve1\n\toptions vers=4.2\n"
    loaded = site.load(f"{text}\n{MINIMAL}")
    assert loaded.warnings == ()
    assert loaded.storages["share"].nodes == ("pve1",)
    assert loaded.storages["share"].is_shared
    assert put(site, "b1", port=9).startswith(f"{text}\npbs: b1\n")


def test_a_changed_section_is_written_in_order_and_keeps_what_nobody_understands(site: StorageSite) -> None:
    site.write(
        "pbs: b1\n# by hand\n\tusername u@pbs\n\tcolour blue\n\tserver a.example\nrubbish\n\tdatastore main\n\tport x\n"
    )
    assert put(site, "b1", disable=True, nodes=("b", "a")) == (
        "pbs: b1\n# by hand\nrubbish\n\tdisable\n\tdatastore main\n\tserver a.example\n\tnodes b,a\n"
        "\tusername u@pbs\n\tcolour blue\n\tport x\n"
    )
    assert "port" not in put(site, "b1", port=None).replace("rubbish", "")


def test_duplicates_of_a_changed_section_go(site: StorageSite) -> None:
    """Else a property that is deleted would come back with the second line."""
    site.write(f"{MINIMAL}\tport 9\n\tport 10\n")
    assert put(site, "b1", port=None) == MINIMAL


def test_what_is_not_changed_keeps_its_bytes(site: StorageSite) -> None:
    text = f"\n\n# x\r\n{MINIMAL}\n\n \nfoo: b2\n   bar\n\n{OFFSITE}"
    site.write(text)
    assert put(site, "b1") == text
    assert put(site, "offsite", port=1).startswith(text[: text.index("pbs: offsite")])


def test_a_changed_section_keeps_its_line_ends(site: StorageSite) -> None:
    site.write(MINIMAL.replace("\n", "\r\n"))
    put(site, "b1", port=9)
    assert site.host.storage_cfg.read_bytes() == (MINIMAL + "\tport 9\n").replace("\n", "\r\n").encode()


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n"])
def test_a_new_section_stands_behind_an_empty_line(site: StorageSite, end: str) -> None:
    site.write(MINIMAL.rstrip("\n") + end)
    with StorageFile(site.host).edit() as edit:
        old = edit.loaded.storages["b1"]
        edit.put(Storage("b2", old.storage_type, old.values))
    assert set(site.load().storages) == {"b1", "b2", "local"}
    assert site.text.endswith(MINIMAL.replace("b1", "b2") + "\n")
    assert site.text.startswith(MINIMAL + "\n")


def test_values_stay_on_their_line(site: StorageSite) -> None:
    site.write(MINIMAL)
    with pytest.raises(ConfigError, match="property 'username' contains a line feed"):
        put(site, "b1", username="a\n\tpassword x")
    assert site.text == MINIMAL


def test_the_digest_guards_changes(site: StorageSite) -> None:
    digest = site.load(MINIMAL).digest
    with StorageFile(site.host).edit(digest):
        pass
    put(site, "b1", port=9)
    with (
        pytest.raises(ConfigError, match=r"detected modified configuration - file changed by other user\? Try again\."),
        StorageFile(site.host).edit(digest),
    ):
        pass


def test_a_file_that_is_too_large_is_refused(site: StorageSite) -> None:
    site.host.storage_cfg.write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(ConfigError, match="larger than 1024 KiB"):
        site.load()
