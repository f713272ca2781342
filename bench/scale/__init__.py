"""A simulation of full hours, before and after the queue of occurrences; see docs/scale.md."""
