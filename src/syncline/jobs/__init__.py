"""Wakes into work, once and soon: the job engines behind `ports.JobEngine`."""
