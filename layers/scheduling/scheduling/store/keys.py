"""The keys of the one table: a partition per install, so that no read can cross two."""

from typing import TypedDict


class Key(TypedDict):
    """The two parts of a row's key, as the models take them."""

    hash_key: str
    range_key: str


def install_key(install_id: str) -> Key:
    """Of the install itself."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key="INSTALL")


def config_key(install_id: str) -> Key:
    """Of its configuration."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key="CONFIG")


def schedule_key(install_id: str, schedule_id: str) -> Key:
    """Of one of its schedules."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"SCHEDULE#{schedule_id}")


def name_owner_key(install_id: str, name: str) -> Key:
    """Of a name taken in it."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"UNIQUE#{name}")


def idempotency_record_key(install_id: str, idempotency_key: str) -> Key:
    """Of a write remembered in it."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"WRITE#{idempotency_key}")


def run_key(install_id: str, schedule_id: str, scheduled_time: str) -> Key:
    """Of one occurrence of one of its schedules."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key=f"RUN#{scheduled_time}")


def manual_window_key(install_id: str, schedule_id: str) -> Key:
    """Of the recent manual runs of one of its schedules."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key="MANUAL")


def manual_run_key(install_id: str, schedule_id: str, idempotency_key: str) -> Key:
    """Of a request to run one of its schedules now."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key=f"MANUAL#{idempotency_key}")


def tenant_key(tenant_id: str) -> Key:
    """Of a tenant."""
    return Key(hash_key=f"TENANT#{tenant_id}", range_key="TENANT")


def tenant_install_key(tenant_id: str, install_id: str) -> Key:
    """Of an install among those of its tenant."""
    return Key(hash_key=f"TENANT#{tenant_id}", range_key=f"INSTALL#{install_id}")


def version_key(registry_id: str, version_id: str) -> Key:
    """Of a version of an extension."""
    return Key(hash_key=f"VERSION#{registry_id}#{version_id}", range_key="VERSION")


SWEEP_KEY = Key(hash_key="SWEEP", range_key="STATE")
