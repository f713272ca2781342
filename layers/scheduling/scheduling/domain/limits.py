"""The numbers of contract section 4, parameters of the stack."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults are the contract's."""

    max_schedules_per_install: int = 50
    min_interval_minutes: int = 5
    writes_per_minute: int = 10
    max_payload_bytes: int = 100_000
    run_history_days: int = 30
