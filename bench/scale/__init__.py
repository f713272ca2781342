"""What becomes of 10 million schedules at the top of the hour: docs/scale.md."""
