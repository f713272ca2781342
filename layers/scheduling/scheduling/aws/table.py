"""The kinds of rows as DynamoDB holds them. Private to `aws`; `keys` has their keys, `rows` maps them."""

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)

from scheduling.aws.row import Row


class InstallRow(Row, discriminator="install"):
    """pk INSTALL#<install>, sk INSTALL: small, since every write of the extension rewrites it."""

    install_shard = UnicodeAttribute(attr_name="installShard")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    registry_id = UnicodeAttribute(attr_name="registryId")
    version_id = UnicodeAttribute(attr_name="versionId")
    content_hash = UnicodeAttribute(attr_name="contentHash")
    granted = UnicodeSetAttribute()
    enabled = BooleanAttribute()
    paused = BooleanAttribute(null=True)
    followed = NumberAttribute(default=0)
    deleting = BooleanAttribute(default=False)
    dropped = UnicodeSetAttribute(null=True)
    changed_by = UnicodeAttribute(attr_name="changedBy")
    generation = NumberAttribute()
    sequence = NumberAttribute(default=0)
    schedule_count = NumberAttribute(default=0, attr_name="scheduleCount")
    writes: MapAttribute[str, Any] = MapAttribute(default=dict)


class ConfigRow(Row, discriminator="config"):
    """pk INSTALL#<install>, sk CONFIG: read by a fire only."""

    config = UnicodeAttribute()
    secret_envelope = UnicodeAttribute(attr_name="secretEnvelope")


class ScheduleRow(Row, discriminator="schedule"):
    """pk INSTALL#<install>, sk SCHEDULE#<schedule>, whose ids sort by creation."""

    tenant_id = UnicodeAttribute(null=True, attr_name="tenantId")
    endpoint_method = UnicodeAttribute(attr_name="endpointMethod")
    endpoint_path = UnicodeAttribute(attr_name="endpointPath")
    cron = UnicodeAttribute()
    timezone = UnicodeAttribute()
    enabled = BooleanAttribute()
    name = UnicodeAttribute(null=True)
    payload = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    revision = NumberAttribute()
    timer_revision = NumberAttribute(attr_name="timerRevision")
    last_timer_revision = NumberAttribute(attr_name="lastTimerRevision")
    timer_since = UTCDateTimeAttribute(null=True, attr_name="timerSince")
    checked_until = UTCDateTimeAttribute(null=True, attr_name="checkedUntil")
    life = UnicodeAttribute()
    held_name = UnicodeAttribute(null=True, attr_name="heldName")
    suspended = BooleanAttribute(null=True)
    followed = NumberAttribute(default=0)
    disabled_reason = UnicodeAttribute(null=True, attr_name="disabledReason")
    changed_by = UnicodeAttribute(attr_name="changedBy")
    change_token = UnicodeAttribute(attr_name="changeToken")
    running_time = UnicodeAttribute(null=True, attr_name="runningTime")
    running_until = UTCDateTimeAttribute(null=True, attr_name="runningUntil")
    last_run_at = UTCDateTimeAttribute(null=True, attr_name="lastRunAt")
    last_run_status = UnicodeAttribute(null=True, attr_name="lastRunStatus")
    last_error = UnicodeAttribute(null=True, attr_name="lastError")


class NameRow(Row, discriminator="name"):
    """pk INSTALL#<install>, sk UNIQUE#<name>."""

    schedule_id = UnicodeAttribute(attr_name="scheduleId")


class WriteRow(Row, discriminator="write"):
    """pk INSTALL#<install>, sk WRITE#<idempotency key>; kept for 24 hours."""

    request_hash = UnicodeAttribute(attr_name="requestHash")
    schedule: MapAttribute[str, Any] = MapAttribute()


class TenantRow(Row, discriminator="tenant"):
    """pk TENANT#<tenant>, sk TENANT: once it was paused."""

    paused = BooleanAttribute()
    generation = NumberAttribute()
    changed_by = UnicodeAttribute(attr_name="changedBy")
    followed_until = UnicodeAttribute(null=True, attr_name="followedUntil")


class MemberRow(Row, discriminator="member"):
    """pk TENANT#<tenant>, sk INSTALL#<install>: there as long as the install is."""


class ManualWindowRow(Row, discriminator="manualWindow"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk MANUAL: when it was run by hand of late."""

    sequence = NumberAttribute()
    writes: MapAttribute[str, Any] = MapAttribute(default=dict)


class ManualRunRow(Row, discriminator="manualRun"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk MANUAL#<idempotency key>; kept for 24 hours."""

    revision = NumberAttribute()
    scheduled_time = UnicodeAttribute(attr_name="scheduledTime")
    requested_at = UTCDateTimeAttribute(attr_name="requestedAt")


class EndpointMap(MapAttribute[str, Any]):
    """One endpoint of a manifest."""

    id = UnicodeAttribute()
    method = UnicodeAttribute()
    path = UnicodeAttribute()
    handler = UnicodeAttribute()


class VersionRow(Row, discriminator="version"):
    """pk VERSION#<registry>#<version>, sk VERSION; never changes."""

    manifest_hash = UnicodeAttribute(attr_name="manifestHash")
    endpoints: ListAttribute[EndpointMap] = ListAttribute(of=EndpointMap)


class RunRow(Row, discriminator="run"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk RUN#<scheduled time>; kept for RUN_HISTORY_DAYS."""

    tenant_id = UnicodeAttribute(null=True, attr_name="tenantId")
    trigger = UnicodeAttribute()
    status = UnicodeAttribute()
    attempt = NumberAttribute()
    claim_token = UnicodeAttribute(attr_name="claimToken")
    started_at = UTCDateTimeAttribute(attr_name="startedAt")
    lease_until = UTCDateTimeAttribute(null=True, attr_name="leaseUntil")
    duration_ms = NumberAttribute(null=True, attr_name="durationMs")
    http_status = NumberAttribute(null=True, attr_name="httpStatus")
    error = UnicodeAttribute(null=True)
    retryable = BooleanAttribute(default=False)


class SweepRow(Row, discriminator="sweep"):
    """pk SWEEP, sk STATE: where the full sweep stands."""

    due_at = UTCDateTimeAttribute(attr_name="dueAt")
    phase = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
