"""A simulation of 10 million schedules at the full hour; see docs/scale.md."""
