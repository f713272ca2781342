"""Executes a request in a worker process."""

import time
from base64 import b64decode
from collections.abc import Collection
from functools import partial

from runner.errors import ComponentNotLoadable, SecretDecryptFailed, UnknownCapabilities
from runner.host.callback import SchedulerCallback
from runner.host.capabilities import SCHEDULER_MANAGE, normalize_capabilities
from runner.messages import ExecuteRequest
from runner.protocol import ContextData, Job, Limits
from runner.workers.components import ComponentStore
from runner.workers.pool import WorkerPool


class ExtensionExecutor:
    """Executes extensions."""

    def __init__(
        self,
        components: ComponentStore,
        pool: WorkerPool,
        callback: SchedulerCallback,
        limits: Limits,
        known_capabilities: Collection[str],
    ) -> None:
        self._components = components
        self._pool = pool
        self._callback = callback
        self._limits = limits
        self._known_capabilities = frozenset(known_capabilities)

    def execute(self, request: ExecuteRequest) -> tuple[int, bytes]:
        """Execute a request and return status and JSON of the extension's response.

        Raises:
            RunnerError: There is no response; the subclass and text say why.
            AtCapacity: As many executions as allowed are running.
        """
        content_hash = request.context.content_hash
        component = self._components.get_component(content_hash)
        self._check_capabilities(request)
        _check_secret_envelope(request)
        with self._pool.borrow_worker() as worker:
            # The time limit starts here: neither compilation nor a worker's start counts against the extension.
            job = self._build_job(request, str(component))
            post_callback = partial(
                self._callback.post_operation,
                job.context.install_id or "",
                deadline=job.deadline,
                callback_token=request.context.callback_token,
            )
            try:
                return worker.execute_job(job, post_callback)
            except ComponentNotLoadable:
                self._components.discard_component(content_hash)
                raise

    def close(self) -> None:
        """End the worker processes."""
        self._pool.close()

    def _check_capabilities(self, request: ExecuteRequest) -> None:
        unknown = normalize_capabilities(request.providers) - self._known_capabilities
        if unknown:
            raise UnknownCapabilities(", ".join(sorted(unknown)))

    def _build_job(self, request: ExecuteRequest, component: str) -> Job:
        context, http = request.context, request.http
        timeout_ms = request.limits.effective_timeout_ms
        may_schedule = SCHEDULER_MANAGE in normalize_capabilities(request.providers)
        return Job(
            component=component,
            context=ContextData(
                request_id=context.request_id,
                tenant_id=context.tenant_id,
                extension_id=context.extension_id,
                install_id=context.install_id,
                version_id=context.version_id,
            ),
            method=http.method,
            url=http.url,
            headers=http.headers,
            body_b64=http.body_b64,
            timeout_ms=timeout_ms,
            deadline=time.monotonic() + timeout_ms / 1000,
            may_schedule=may_schedule and bool(context.install_id),
            limits=self._limits,
        )


def _check_secret_envelope(request: ExecuteRequest) -> None:
    """Check what this runner can check: it has no key and implements no `secrets`."""
    if request.secret_envelope:
        try:
            b64decode(request.secret_envelope.ciphertext_b64, validate=True)
        except ValueError:
            raise SecretDecryptFailed from None
