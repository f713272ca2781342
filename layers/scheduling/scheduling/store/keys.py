"""The keys of the one table: a partition per install, so that no read spans two installs."""

from typing import TypedDict

PAYLOAD_SUFFIX = "#PAYLOAD"
"""What the sort key of a payload adds to that of its schedule."""


class Key(TypedDict):
    """The two parts of a row's key, by the names of the models' parameters."""

    hash_key: str
    range_key: str


def install_key(install_id: str) -> Key:
    """Return the key of the install itself."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key="INSTALL")


def config_key(install_id: str) -> Key:
    """Return the key of the install's configuration."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key="CONFIG")


def schedule_key(install_id: str, schedule_id: str) -> Key:
    """Return the key of a schedule."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"SCHEDULE#{schedule_id}")


def payload_key(install_id: str, schedule_id: str) -> Key:
    """Return the key of a schedule's large payload, which a query finds right after the schedule."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"SCHEDULE#{schedule_id}{PAYLOAD_SUFFIX}")


def name_owner_key(install_id: str, name: str) -> Key:
    """Return the key of a schedule's name, which is unique in the install."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"UNIQUE#{name}")


def idempotency_record_key(install_id: str, idempotency_key: str) -> Key:
    """Return the key of an idempotency record."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"WRITE#{idempotency_key}")


def run_key(install_id: str, schedule_id: str, scheduled_time: str) -> Key:
    """Return the key of one occurrence of a schedule."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key=f"RUN#{scheduled_time}")


def manual_window_key(install_id: str, schedule_id: str) -> Key:
    """Return the key of the times of a schedule's recent manual runs."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key="MANUAL")


def manual_run_key(install_id: str, schedule_id: str, idempotency_key: str) -> Key:
    """Return the key of a request to run a schedule now."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key=f"MANUAL#{idempotency_key}")


def tenant_key(tenant_id: str) -> Key:
    """Return the key of a tenant."""
    return Key(hash_key=f"TENANT#{tenant_id}", range_key="TENANT")


def tenant_install_key(tenant_id: str, install_id: str) -> Key:
    """Return the key of an install in the list of its tenant's installs."""
    return Key(hash_key=f"TENANT#{tenant_id}", range_key=f"INSTALL#{install_id}")


def version_key(registry_id: str, version_id: str) -> Key:
    """Return the key of a version of an extension."""
    # Both ids may contain "#", so in one part of the key two versions could have the same text.
    return Key(hash_key=f"VERSION#{registry_id}", range_key=f"VERSION#{version_id}")


SWEEP_KEY = Key(hash_key="SWEEP", range_key="STATE")
