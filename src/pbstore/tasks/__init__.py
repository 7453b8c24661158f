"""Worker tasks, their logs and their history (tasks-and-jobs.md)."""
