"""The control side of backup and reader sessions: calls in, answers out, no sockets."""
