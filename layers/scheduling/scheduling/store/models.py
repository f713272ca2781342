"""The kinds of rows as DynamoDB stores them. Private to `store`: `keys` has their keys, `mapping` converts them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from scheduling.domain.runs import RunStatus, SkipReason, Trigger
from scheduling.domain.schedule import ScheduleState
from scheduling.domain.sweeps import SweepPhase
from scheduling.store.keys import PAYLOAD_SUFFIX, InstallsIndex, PendingIndex, TenantsIndex, UnhealthyIndex
from scheduling.store.pynamodb_internals import model_from_item, row_from_item


class EnumAttribute(UnicodeAttribute):
    """The value of a StrEnum; any other text cannot be read."""

    def __init__(self, values: type[StrEnum], *, null: bool = False, attr_name: str | None = None) -> None:
        super().__init__(null=null, attr_name=attr_name)
        self._values = values

    def deserialize(self, value: str) -> StrEnum:
        """Return the member with the value."""
        return self._values(value)


class Row(Model):
    """Any item of the table.

    Attributes:
        unreadable_attributes: Why attributes cannot be read, by their names in the item.
    """

    unreadable_attributes: Mapping[str, str] = MappingProxyType({})

    class Meta:
        table_name = ""
        connect_timeout_seconds = 1
        read_timeout_seconds = 2
        max_pool_connections = 32
        max_retry_attempts = 2

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    type = DiscriminatorAttribute()
    pending_shard = UnicodeAttribute(null=True, attr_name="pendingShard")
    pending_since = UTCDateTimeAttribute(null=True, attr_name="pendingSince")
    expires_at = TTLAttribute(null=True, attr_name="expiresAt")
    pending_index = PendingIndex()
    installs_index = InstallsIndex()
    tenants_index = TenantsIndex()
    unhealthy_index = UnhealthyIndex()

    @classmethod
    def from_raw_data(cls, data: Mapping[str, Mapping[str, Any]]) -> Self:
        """Return the row of a DynamoDB item, in less time than pynamodb takes, and whatever the item holds.

        Without a readable type, the row is of the kind that its key names.
        """
        named_model = model_from_item(cls.type, data)
        model = named_model or _model_by_key(data["pk"]["S"], data["sk"]["S"])
        row: Self
        row, problems = row_from_item(model, data)
        if named_model is None:
            problems["type"] = "is unknown" if "type" in data else "is missing"
        if problems:
            row.unreadable_attributes = problems
        return row


def _model_by_key(pk: str, sk: str) -> type[Row]:
    kind = (pk.partition("#")[0], sk.partition("#")[0])
    model = _MODELS_BY_KEY.get(kind, Row)
    return PayloadRow if model is ScheduleRow and sk.endswith(PAYLOAD_SUFFIX) else model


class InstallRow(Row, discriminator="install"):
    """pk INSTALL#<install>, sk INSTALL: small, since every write of the extension rewrites it."""

    install_shard = UnicodeAttribute(attr_name="installShard")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    registry_id = UnicodeAttribute(attr_name="registryId")
    version_id = UnicodeAttribute(attr_name="versionId")
    content_hash = UnicodeAttribute(attr_name="contentHash")
    extension_name = UnicodeAttribute(null=True, attr_name="extensionName")
    extension_version = UnicodeAttribute(null=True, attr_name="extensionVersion")
    granted_capabilities = UnicodeSetAttribute(attr_name="grantedCapabilities")
    enabled = BooleanAttribute()
    paused = BooleanAttribute(null=True)
    ungranted_since = UTCDateTimeAttribute(null=True, attr_name="ungrantedSince")
    unhealthy_shard = UnicodeAttribute(null=True, attr_name="unhealthyShard")
    unhealthy_since = UTCDateTimeAttribute(null=True, attr_name="unhealthySince")
    propagated_generation = NumberAttribute(default=0, attr_name="propagatedGeneration")
    deleting = BooleanAttribute(default=False)
    removed_endpoints = UnicodeSetAttribute(null=True, attr_name="removedEndpoints")
    changed_by = UnicodeAttribute(attr_name="changedBy")
    generation = NumberAttribute()
    write_sequence = NumberAttribute(default=0, attr_name="writeSequence")
    schedule_count = NumberAttribute(default=0, attr_name="scheduleCount")
    writes: MapAttribute[str, Any] = MapAttribute(default=dict)


class ConfigRow(Row, discriminator="config"):
    """pk CONFIG#<install>, sk CONFIG: read by a fire and by a registration only."""

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
    payload_digest = UnicodeAttribute(null=True, attr_name="payloadDigest")
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    revision = NumberAttribute()
    timer_revision = NumberAttribute(attr_name="timerRevision")
    last_timer_revision = NumberAttribute(attr_name="lastTimerRevision")
    timer_since = UTCDateTimeAttribute(null=True, attr_name="timerSince")
    checked_until = UTCDateTimeAttribute(null=True, attr_name="checkedUntil")
    state = EnumAttribute(ScheduleState)
    held_name = UnicodeAttribute(null=True, attr_name="heldName")
    suspended = BooleanAttribute(null=True)
    propagated_generation = NumberAttribute(default=0, attr_name="propagatedGeneration")
    disabled_reason = UnicodeAttribute(null=True, attr_name="disabledReason")
    next_fire = UnicodeAttribute(null=True, attr_name="nextFire")
    changed_by = UnicodeAttribute(attr_name="changedBy")
    change_token = UnicodeAttribute(attr_name="changeToken")
    running_occurrence = UnicodeAttribute(null=True, attr_name="runningOccurrence")
    lease_expires_at = UTCDateTimeAttribute(null=True, attr_name="leaseExpiresAt")
    pause_after_failures = NumberAttribute(null=True, attr_name="pauseAfterFailures")
    spread_minutes = NumberAttribute(null=True, attr_name="spreadMinutes")
    consecutive_failures = NumberAttribute(null=True, attr_name="consecutiveFailures")
    last_success_at = UTCDateTimeAttribute(null=True, attr_name="lastSuccessAt")
    last_run_at = UTCDateTimeAttribute(null=True, attr_name="lastRunAt")
    last_run_status = UnicodeAttribute(null=True, attr_name="lastRunStatus")
    last_error = UnicodeAttribute(null=True, attr_name="lastError")
    unhealthy_shard = UnicodeAttribute(null=True, attr_name="unhealthyShard")
    unhealthy_since = UTCDateTimeAttribute(null=True, attr_name="unhealthySince")
    waiting = BooleanAttribute(null=True)


class PayloadRow(Row, discriminator="payload"):
    """pk INSTALL#<install>, sk SCHEDULE#<schedule>#PAYLOAD: a large payload, so that no fire rewrites it."""

    payload = UnicodeAttribute()
    digest = UnicodeAttribute()


class NameRow(Row, discriminator="name"):
    """pk INSTALL#<install>, sk UNIQUE#<name>."""

    schedule_id = UnicodeAttribute(attr_name="scheduleId")


class IdempotencyRow(Row, discriminator="idempotency"):
    """pk INSTALL#<install>, sk WRITE#<idempotency key>; kept for 24 hours."""

    request_hash = UnicodeAttribute(attr_name="requestHash")
    schedule: MapAttribute[str, Any] = MapAttribute()


class TenantRow(Row, discriminator="tenant"):
    """pk TENANT#<tenant>, sk TENANT: exists once the tenant was paused."""

    paused = BooleanAttribute()
    unhealthy_shard = UnicodeAttribute(null=True, attr_name="unhealthyShard")
    unhealthy_since = UTCDateTimeAttribute(null=True, attr_name="unhealthySince")
    generation = NumberAttribute()
    changed_by = UnicodeAttribute(attr_name="changedBy")
    propagation_cursor = UnicodeAttribute(null=True, attr_name="propagationCursor")


class TenantInstallRow(Row, discriminator="tenantInstall"):
    """pk TENANT#<tenant>, sk INSTALL#<install>: exists as long as the install."""


class ManualWindowRow(Row, discriminator="manualWindow"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk MANUAL: the times of its recent manual runs, and the newest of them.

    The newest is there for the audit: each request to run a schedule now writes this row.
    """

    tenant_id = UnicodeAttribute(null=True, attr_name="tenantId")
    scheduled_time = UnicodeAttribute(null=True, attr_name="scheduledTime")
    requested_by = UnicodeAttribute(null=True, attr_name="requestedBy")

    write_sequence = NumberAttribute(attr_name="writeSequence")
    writes: MapAttribute[str, Any] = MapAttribute(default=dict)


class ManualRunRow(Row, discriminator="manualRun"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk MANUAL#<idempotency key>; kept for 24 hours."""

    timer_revision = NumberAttribute(attr_name="timerRevision")
    scheduled_time = UnicodeAttribute(attr_name="scheduledTime")
    requested_at = UTCDateTimeAttribute(attr_name="requestedAt")


class ChangeRow(Row, discriminator="change"):
    """pk INSTALL#<install>, sk CHANGE#<time>#<sequence>: written by the audit, whose stream's filters leave it out.

    What the sweep has found and repaired is a change, too, and the index of what is unhealthy has it.
    """

    unhealthy_shard = UnicodeAttribute(null=True, attr_name="unhealthyShard")
    unhealthy_since = UTCDateTimeAttribute(null=True, attr_name="unhealthySince")
    schedule_id = UnicodeAttribute(null=True, attr_name="scheduleId")
    name = UnicodeAttribute()
    actor = UnicodeAttribute()
    before = JSONAttribute(null=True)
    after = JSONAttribute(null=True)
    payload_changed = BooleanAttribute(null=True, attr_name="payloadChanged")


class EndpointMap(MapAttribute[str, Any]):
    """One endpoint of a manifest."""

    id = UnicodeAttribute()
    method = UnicodeAttribute()
    path = UnicodeAttribute()
    handler = UnicodeAttribute()


class VersionRow(Row, discriminator="version"):
    """pk VERSION#<registry>, sk VERSION#<version>; never changes."""

    manifest_hash = UnicodeAttribute(attr_name="manifestHash")
    endpoints: ListAttribute[EndpointMap] = ListAttribute(of=EndpointMap)


class RunRow(Row, discriminator="run"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk RUN#<scheduled time>; outlives every message of its occurrence."""

    tenant_id = UnicodeAttribute(null=True, attr_name="tenantId")
    trigger = EnumAttribute(Trigger)
    status = EnumAttribute(RunStatus)
    attempt = NumberAttribute()
    lease_token = UnicodeAttribute(attr_name="leaseToken")
    skip_reason = EnumAttribute(SkipReason, null=True, attr_name="skipReason")
    started_at = UTCDateTimeAttribute(attr_name="startedAt")
    lease_expires_at = UTCDateTimeAttribute(null=True, attr_name="leaseExpiresAt")
    duration_ms = NumberAttribute(null=True, attr_name="durationMs")
    http_status = NumberAttribute(null=True, attr_name="httpStatus")
    request_id = UnicodeAttribute(null=True, attr_name="requestId")
    error = UnicodeAttribute(null=True)
    detail = UnicodeAttribute(null=True)
    runner_status = NumberAttribute(null=True, attr_name="runnerStatus")
    runner_error = UnicodeAttribute(null=True, attr_name="runnerError")
    retryable = BooleanAttribute(default=False)
    response_count = NumberAttribute(default=0, attr_name="responseCount")
    wait_token = UnicodeAttribute(null=True, attr_name="waitToken")
    not_before = UTCDateTimeAttribute(null=True, attr_name="notBefore")


class SweepRow(Row, discriminator="sweep"):
    """pk SWEEP, sk STATE: the position of the full sweep, and what it has repaired."""

    next_sweep_at = UTCDateTimeAttribute(attr_name="nextSweepAt")
    phase = EnumAttribute(SweepPhase, null=True)
    cursor = UnicodeAttribute(null=True)
    started_at = UTCDateTimeAttribute(attr_name="startedAt", null=True)
    repairs = JSONAttribute(null=True)


_MODELS_BY_KEY: Mapping[tuple[str, str], type[Row]] = {
    ("INSTALL", "INSTALL"): InstallRow,
    ("CONFIG", "CONFIG"): ConfigRow,
    ("INSTALL", "SCHEDULE"): ScheduleRow,
    ("INSTALL", "UNIQUE"): NameRow,
    ("INSTALL", "WRITE"): IdempotencyRow,
    ("INSTALL", "CHANGE"): ChangeRow,
    ("INSTALL", "RUN"): RunRow,
    ("TENANT", "TENANT"): TenantRow,
    ("TENANT", "INSTALL"): TenantInstallRow,
    ("VERSION", "VERSION"): VersionRow,
    ("SWEEP", "STATE"): SweepRow,
}
"""The kinds of rows by the first words of their keys."""
