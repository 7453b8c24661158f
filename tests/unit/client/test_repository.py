"""Repository texts (cli-client.md 1) and the order in which options and variables name one (version-4.md 17)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.client.repository import RepositorySpec, server_name_of
from pbstore.client.repository_choice import RepositoryOptions, choose_repository, find_repository
from pbstore.errors import FormatError, PbstoreError


@pytest.mark.parametrize(
    ("text", "user", "server", "address", "datastore", "printed"),
    [
        ("store1", "root@pam", "localhost", ("localhost", 8007), "store1", "store1"),
        ("h:store1", "root@pam", "h", ("h", 8007), "store1", "h:store1"),
        ("h:1234:store1", "root@pam", "h", ("h", 1234), "store1", "h:1234:store1"),
        ("u@pbs@h:store1", "u@pbs", "h", ("h", 8007), "store1", "u@pbs@h:8007:store1"),
        ("u@pbs!tok@h:1234:store1", "u@pbs!tok", "h", ("h", 1234), "store1", "u@pbs!tok@h:1234:store1"),
        ("a@b@pbs@h.example.org:store1", "a@b@pbs", "h.example.org", ("h.example.org", 8007), "store1", None),
        ("[ff80::51]:1234:store1", "root@pam", "[ff80::51]", ("ff80::51", 1234), "store1", None),
        ("192.0.2.5:store1", "root@pam", "192.0.2.5", ("192.0.2.5", 8007), "store1", None),
    ],
)
def test_parts(
    text: str, user: str, server: str, address: tuple[str, int], datastore: str, printed: str | None
) -> None:
    repository = RepositorySpec.parse(text)
    assert (str(repository.user), repository.server_name) == (user, server)
    assert (repository.address, repository.datastore) == (address, datastore)
    assert printed is None or str(repository) == printed


@pytest.mark.parametrize(
    "text",
    ["", ":", "h:", "h::store", "u@pbs@store", "h:70000:store", "h:0:store", "ff80::51:store", "a b", "-x", "x" * 257],
)
def test_what_is_no_repository(text: str) -> None:
    with pytest.raises(FormatError, match="unable to parse repository url"):
        RepositorySpec.parse(text)


@given(st.text(alphabet="ab1.:@![]-_/ ", max_size=40))
def test_any_text_is_parsed_or_refused_and_prints_itself_back(text: str) -> None:
    try:
        repository = RepositorySpec.parse(text)
    except FormatError:
        return
    again = RepositorySpec.parse(str(repository))
    assert (again.user, again.address, again.datastore) == (repository.user, repository.address, repository.datastore)


def test_bare_addresses_get_brackets() -> None:
    assert server_name_of("ff80::51") == "[ff80::51]"
    assert server_name_of("h.example.org") == "h.example.org"
    with pytest.raises(FormatError, match="invalid server"):
        server_name_of("a b")


ENVIRONMENT = {"PBS_REPOSITORY": "env-url", "PBS_DATASTORE": "env-store", "PBS_SERVER": "env-host", "PBS_PORT": "99"}


@pytest.mark.parametrize(
    ("options", "environment", "printed"),
    [
        (RepositoryOptions(repository="opt:store"), ENVIRONMENT, "opt:store"),
        (RepositoryOptions(server="opt"), ENVIRONMENT, "opt:99:env-store"),
        (RepositoryOptions(datastore="opt", auth_id="u@pbs"), ENVIRONMENT, "u@pbs@env-host:99:opt"),
        (RepositoryOptions(), ENVIRONMENT, "env-url"),
        (RepositoryOptions(), {"PBS_DATASTORE": "env-store"}, "env-store"),
    ],
)
def test_precedence(options: RepositoryOptions, environment: dict[str, str], printed: str) -> None:
    assert str(choose_repository(options, environment)) == printed


def test_nothing_given() -> None:
    assert find_repository(RepositoryOptions(), {}) is None
    with pytest.raises(PbstoreError, match=r"unable to get \(default\) repository"):
        choose_repository(RepositoryOptions(), {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (RepositoryOptions(repository="a", port=1), "are mutually exclusive"),
        (RepositoryOptions(server="a"), "--datastore is required when not using --repository"),
    ],
)
def test_options_that_do_not_go_together(options: RepositoryOptions, message: str) -> None:
    with pytest.raises(PbstoreError, match=message):
        choose_repository(options, {})
