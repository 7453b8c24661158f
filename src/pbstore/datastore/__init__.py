"""The datastore on disk: groups, snapshots, locks and removal; knows no HTTP (datastore-layout.md)."""
