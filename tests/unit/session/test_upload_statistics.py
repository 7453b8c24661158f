"""Statistics of closed indexes; the numbers are those of the original's task logs (tasks-and-jobs.md 5)."""

from dataclasses import dataclass

from pbstore.session.upload_statistics import UploadSums, index_lines


@dataclass
class Stats:
    size: int
    chunk_count: int
    upload_count: int
    upload_bytes: int
    compressed_bytes: int
    duplicate_count: int
    uuid: bytes = bytes(range(16))
    csum: bytes = bytes(32)


def lines(stats: Stats) -> list[str]:
    return list(index_lines("etc.ppxar.didx", stats))[4:]


def test_the_block_names_archive_uuid_and_checksum() -> None:
    assert list(index_lines("etc.pxar.didx", Stats(10, 1, 1, 10, 5, 0)))[:4] == [
        "Upload statistics for 'etc.pxar.didx'",
        "UUID: 000102030405060708090a0b0c0d0e0f",
        "Checksum: " + "00" * 32,
        "Size: 10",
    ]


def test_all_new() -> None:
    assert lines(Stats(46018482, 18, 18, 46018482, 1300000, 0)) == [
        "Chunk count: 18",
        "Upload size: 46018482 (100%)",
        "Compression: 2%",
    ]


def test_duplicates_of_the_client_and_of_the_server() -> None:
    assert lines(Stats(46721169, 17, 7, 19956282, 500000, 0)) == [
        "Chunk count: 17",
        "Upload size: 19956282 (42%)",
        "Duplicates: 10+0 (58%)",
        "Compression: 2%",
    ]
    assert "Duplicates: 0+1 (100%)" in lines(Stats(32948, 1, 1, 32948, 12300, 1))


def test_nothing_uploaded() -> None:
    assert lines(Stats(100, 2, 0, 0, 0, 0)) == ["Chunk count: 2", "Upload size: 0 (0%)", "Duplicates: 2+0 (100%)"]


def test_more_uploads_than_chunks_is_no_negative_number() -> None:
    assert "Duplicates: 0+1 (100%)" in lines(Stats(4, 1, 5, 20, 10, 1))


def test_an_empty_index_has_no_percentages() -> None:
    assert lines(Stats(0, 0, 0, 0, 0, 0)) == ["Chunk count: 0"]


def test_sums_add_blobs_to_the_size_only() -> None:
    sums = UploadSums()
    sums.add_index(Stats(100, 2, 2, 100, 40, 1))
    sums.add_blob(12)
    assert sums.as_json() == {"count": 2, "size": 112, "compressed_size": 40, "duplicates": 1}
