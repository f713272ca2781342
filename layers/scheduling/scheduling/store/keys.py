"""The keys of the one table, a partition per install, so that no read spans two installs; and those of its indexes."""

from typing import Any, TypedDict

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

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
    """Return the key of the install's configuration and secret envelope.

    A partition of its own: a policy selects by the partition's key, and few functions may read these.
    """
    return Key(hash_key=f"CONFIG#{install_id}", range_key="CONFIG")


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


def change_key(install_id: str, position: str) -> Key:
    """Return the key of a change of an install or of one of its schedules, which no read of schedules returns."""
    return Key(hash_key=f"INSTALL#{install_id}", range_key=f"CHANGE#{position}")


def run_key(install_id: str, schedule_id: str, scheduled_time: str) -> Key:
    """Return the key of one occurrence of a schedule."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key=f"RUN#{scheduled_time}")


def manual_window_key(install_id: str, schedule_id: str) -> Key:
    """Return the key of the times of a schedule's recent manual runs."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key="MANUAL")


def manual_run_key(install_id: str, schedule_id: str, idempotency_key: str) -> Key:
    """Return the key of a request to run a schedule now."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key=f"MANUAL#{idempotency_key}")


def backfill_key(install_id: str, schedule_id: str) -> Key:
    """Return the key of the newest backfill of a schedule."""
    return Key(hash_key=f"INSTALL#{install_id}#SCHEDULE#{schedule_id}", range_key="BACKFILL")


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

SHARDS = "0123456789abcdef"
"""Parts of an index, so that no single part takes all writes: see `index_shard`."""


def index_shard(identifier: str) -> str:
    """Return the part of an index, of sixteen, that a row is in."""
    return f"{sum(identifier.encode()) % 16:x}"


class PendingIndex(GlobalSecondaryIndex[Any]):
    """The pending rows, and no others, by the time since when they are."""

    class Meta:
        index_name = "pending"
        projection = IncludeProjection(["type"])

    shard = UnicodeAttribute(hash_key=True, attr_name="pendingShard")
    since = UTCDateTimeAttribute(range_key=True, attr_name="pendingSince")


class InstallsIndex(GlobalSecondaryIndex[Any]):
    """The rows of installs, and no others, by their ids; no write of an extension changes what the index projects."""

    class Meta:
        index_name = "installs"
        projection = IncludeProjection(["type"])

    shard = UnicodeAttribute(hash_key=True, attr_name="installShard")
    pk = UnicodeAttribute(range_key=True)


PAUSED_TENANTS, DISABLED_INSTALLS, UNGRANTED_INSTALLS = "paused", "disabled", "ungranted"
PREVENTING_FINDS, HARMLESS_FINDS = "preventing-finds", "harmless-finds"
"""Parts of the index of what is unhealthy, besides those of schedules. A row is in one of them at most."""


class UnhealthyIndex(GlobalSecondaryIndex[Any]):
    """The schedules that fail or wait, what somebody has stopped, and the sweep's finds, by their times.

    The schedules are in sixteen parts (decision 047); the others in one each, since few are, and the sweep makes fewer
    finds than a part takes (decision 049).
    """

    class Meta:
        index_name = "unhealthy"
        projection = IncludeProjection(["type"])

    shard = UnicodeAttribute(hash_key=True, attr_name="unhealthyShard")
    since = UTCDateTimeAttribute(range_key=True, attr_name="unhealthySince")


class TenantsIndex(GlobalSecondaryIndex[Any]):
    """The schedules of a tenant, install by install, each in order of creation (decision 038).

    Runs have a tenant too, but no `createdAt`, so they are not in it. Neither a fire nor an update changes its keys.
    """

    class Meta:
        index_name = "tenants"
        projection = IncludeProjection(["payloadDigest"])

    tenant_id = UnicodeAttribute(hash_key=True, attr_name="tenantId")
    pk = UnicodeAttribute(range_key=True)
    created_at = UnicodeAttribute(range_key=True, attr_name="createdAt")
