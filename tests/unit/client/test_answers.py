"""What a hostile or broken server may answer, and what the client makes of it."""

import pytest

from pbstore.client.answers import data_of, number_of, parse_json, rows_of, text_of
from pbstore.client.listing import FileListing, GroupListing, SnapshotListing
from pbstore.client.login import ticket_credentials, token_credentials
from pbstore.client.ticket_cache import Ticket
from pbstore.errors import FormatError, PbstoreError, ProtocolError, ServerError
from pbstore.model.auth_id import AuthId


def test_data_comes_out_of_the_envelope() -> None:
    assert data_of(200, b'{"data":[1]}') == [1]
    assert data_of(200, b"") is None


@pytest.mark.parametrize("body", [b"[]", b"{}", b"nonsense", b"[" * 200_000, b"\xff"])
def test_other_answers_are_protocol_errors(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        data_of(200, body)


def test_errors_carry_the_text_of_the_server() -> None:
    with pytest.raises(ServerError, match="^no such datastore 'x'$") as caught:
        data_of(400, b"no such datastore 'x'\n")
    assert caught.value.status == 400
    with pytest.raises(ServerError, match="HTTP status 502"):
        data_of(502, b"")


@pytest.mark.parametrize("data", [None, {}, [1], ["x"], "x"])
def test_lists_are_lists_of_objects(data: object) -> None:
    with pytest.raises(ProtocolError):
        rows_of(data)


@pytest.mark.parametrize("value", [None, True, "1", 1.5, []])
def test_numbers_are_whole_numbers(value: object) -> None:
    with pytest.raises(ProtocolError, match="no number 'n'"):
        number_of({"n": value}, "n")


def test_texts_are_texts() -> None:
    with pytest.raises(ProtocolError, match="no text 't'"):
        text_of({"t": 1}, "t")


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"backup-type": "vm", "backup-id": "../x"},
        {"backup-type": "tape", "backup-id": "1"},
        {"backup-type": "vm", "backup-id": "1", "backup-count": 1, "last-backup": 1, "files": "x"},
        {"backup-type": "vm", "backup-id": "1", "backup-count": 1, "last-backup": 1, "files": [3]},
        {"backup-type": "vm", "backup-id": "1", "backup-time": -1, "backup-count": 1, "last-backup": 1 << 60},
    ],
)
def test_items_that_cannot_be(row: dict[str, object]) -> None:
    for listing in (GroupListing, SnapshotListing, FileListing):
        with pytest.raises((ProtocolError, FormatError)):
            listing.from_wire(row)


def test_groups_without_snapshots() -> None:
    row = {"backup-type": "vm", "backup-id": "1", "backup-count": 0, "last-backup": 0, "files": []}
    assert GroupListing.from_wire(row).newest is None


def test_unfinished_snapshots() -> None:
    row = {"backup-type": "vm", "backup-id": "1", "backup-time": 7, "files": []}
    listing = SnapshotListing.from_wire(row)
    assert (listing.is_finished, listing.size) == (False, None)


def test_credentials_are_percent_encoded() -> None:
    ticket = ticket_credentials(Ticket("PBS:u@pbs:6553F100::a+b/c", "csrf"))
    assert ticket.headers == [("cookie", "PBSAuthCookie=PBS:u@pbs:6553F100::a+b/c"), ("csrfpreventiontoken", "csrf")]
    token = token_credentials(AuthId.parse("u@pbs!t"), "a b%ü")
    assert token.headers == [("authorization", "PBSAPIToken=u@pbs!t:a%20b%25%C3%BC")]


def test_parse_json_names_what_was_broken() -> None:
    with pytest.raises(PbstoreError, match="the server's manifest is not valid JSON"):
        parse_json(b"{", "manifest")
