"""What the service does beside answering requests: it hears, schedules, dispatches, and tells."""
