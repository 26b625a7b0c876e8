"""The change matrix of a two-way file sync (rclone's bisync), played through the real engine with golden plans.

Each `*.yaml` beside this file is one row: two sides in step, what people then do, and what must come of it under each
policy. `python -m tests.scenarios.bisync` says what differs, `--accept` writes it down.
"""
