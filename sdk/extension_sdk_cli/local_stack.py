"""A client of the local stack and its runner."""

import json
import os
import shutil
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from extension_sdk_cli.build import COMPONENT_NAME, MANIFEST_NAME
from extension_sdk_cli.errors import CommandError, StackNotFound
from extension_sdk_cli.project import LOCAL_TENANT_ID, Project, hash_file

_TIMEOUT_SECONDS = 120
_MAX_RUNS = 5
_COMPILE_SECONDS = 300.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class CallResult:
    """The extension's response, or the runner's error."""

    status: int
    body: bytes
    error: str | None

    @property
    def failed(self) -> bool:
        """Whether there is an error, or a status that says so."""
        return self.error is not None or self.status >= 400


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A running local stack; `extensions` is the folder where its runner finds components."""

    url: str
    runner_url: str
    extensions: Path
    runner_log: Path

    @classmethod
    def connect(cls) -> "LocalStack":
        """Return the stack at `API_PORT` (default 3000).

        Raises:
            StackNotFound: Nothing answers there, or nothing that names its folders.
        """
        url = f"http://127.0.0.1:{os.environ.get('API_PORT', '3000')}"
        status, health = _send("GET", f"{url}/_local/health")
        if not isinstance(health, dict) or "extensions" not in health:
            raise StackNotFound(f"{url} is no local stack, or one of another version: {health}")
        if status != 200:
            raise StackNotFound(f"the local stack at {url} is not ready: {_describe_parts(health)}")
        return cls(url, health["runner"], Path(health["extensions"]), Path(health["runnerLog"]))

    def install(self, project: Project, *, disable_missing: bool = False) -> int:
        """Copy the component to the runner's folder and register it; return the status.

        Args:
            project: The extension, built.
            disable_missing: Disable schedules whose endpoint the new version lacks, rather than refuse.

        Raises:
            CommandError: The API refuses it.
        """
        component = project.require_component()
        folder = self.extensions / project.install_id
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project.build_folder / MANIFEST_NAME, folder / MANIFEST_NAME)
        temporary = folder / f".{COMPONENT_NAME}"
        shutil.copyfile(component, temporary)
        temporary.replace(folder / COMPONENT_NAME)  # the runner never sees half of it
        query = "?onMissingEndpoint=disable" if disable_missing else ""
        url = f"{self.url}/admin/v1/installs/{project.install_id}{query}"
        status, answer = _send("PUT", url, project.registration(hash_file(component)))
        if status >= 300:
            raise CommandError(f"the API refuses the version: {_describe_problem(answer)}")
        self._wait_until_compiled(hash_file(component))
        return status

    def _wait_until_compiled(self, content_hash: str) -> None:
        """Wait until the runner has compiled a component, so that no call has to; a foreign runner does not say."""
        deadline = time.monotonic() + _COMPILE_SECONDS
        while time.monotonic() < deadline:
            runner = _send("GET", f"{self.url}/_local/health")[1]["parts"]["runner"]
            components = [
                each for each in runner.get("components", ()) if each["contentHash"] == content_hash
            ]
            if any(each["status"] == "failed" for each in components):
                raise CommandError(f"the runner cannot use the component: {components[0]['error']}")
            if any(each["status"] == "ready" for each in components) or "components" not in runner:
                return
            time.sleep(_POLL_SECONDS)

    def call(self, project: Project, method: str, path: str, body: bytes | None) -> CallResult:
        """Execute a request of the extension through the runner."""
        content_hash = hash_file(project.require_component())
        path, _, query = path.partition("?")
        context = {
            "request_id": "extension-sdk",
            "tenant_id": LOCAL_TENANT_ID,
            "extension_id": project.registry_id,
            "install_id": project.install_id,
            "version_id": project.version_id(content_hash),
            "content_hash": content_hash,
            "config": {},
        }
        http: dict[str, Any] = {"method": method.upper(), "path": path, "query": {}, "headers": {}}
        http["query"] = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        if body is not None:
            http |= {"body_b64": b64encode(body).decode(), "headers": {"content-type": "application/json"}}
        providers = project.manifest.get("capabilities", [])
        limits = {"timeout_ms": 30_000}
        request = {"context": context, "http": http, "limits": limits, "providers": providers}
        headers = {"x-alga-tenant": LOCAL_TENANT_ID, "x-alga-extension": project.registry_id}
        if token := os.environ.get("RUNNER_SERVICE_TOKEN"):
            headers["x-runner-service-token"] = token
        status, answer = _send("POST", f"{self.runner_url}/v1/execute", request, headers)
        if status != 200:
            raise CommandError(f"the runner answers {status}: {_describe_problem(answer)}")
        return CallResult(answer["status"], b64decode(answer["body_b64"] or ""), answer["error"])

    def list_schedules(self, project: Project) -> list[dict[str, Any]]:
        """Return the install's schedules.

        Raises:
            CommandError: The API refuses the call.
        """
        return list(self._read(project, "schedules")["schedules"])

    def list_runs(self, project: Project, schedule_id: str) -> list[dict[str, Any]]:
        """Return the last runs of a schedule, newest first.

        Raises:
            CommandError: The API refuses the call.
        """
        return list(self._read(project, f"schedules/{schedule_id}/runs?limit={_MAX_RUNS}")["runs"])

    def _read(self, project: Project, path: str) -> dict[str, Any]:
        """Read a resource of the install, as its runner may."""
        headers = {"x-runner-auth": os.environ.get("RUNNER_AUTH_TOKEN", "local-runner-key")}
        status, answer = _send("GET", f"{self.url}/v1/installs/{project.install_id}/{path}", None, headers)
        if status == 404:
            raise CommandError("the local stack does not have this extension: run `extension-sdk install`")
        if status != 200:
            raise CommandError(f"the API answers {status}: {_describe_problem(answer)}")
        return dict(answer)


def _send(
    method: str, url: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Send a request; return the status and the JSON, or the text, of the response."""
    data = None if body is None else json.dumps(body).encode()
    fields = {"content-type": "application/json", **(headers or {})}
    request = Request(url, data, fields, method=method)  # noqa: S310 - always http
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - always http
            status, content = response.status, response.read()
    except HTTPError as error:
        status, content = error.code, error.read()
    except OSError as error:
        address = "/".join(url.split("/")[:3])
        reason = error.reason if isinstance(error, URLError) else error
        raise StackNotFound(f"no local stack at {address} ({reason}): start it with `make local`") from error
    try:
        return status, json.loads(content)
    except ValueError:
        return status, content.decode(errors="replace")


def _describe_parts(health: dict[str, Any]) -> str:
    """Return the parts that do not work, and why; else the status."""
    parts = {name: health.get("parts", {}).get(name, {}) for name in health.get("failing", [])}
    return "; ".join(f"{name}: {part.get('error')}" for name, part in parts.items()) or health["status"]


def _describe_problem(answer: Any) -> str:
    """Return what an error response says, with what the author can do."""
    if not isinstance(answer, dict):
        return str(answer)
    text = str(answer.get("detail") or answer.get("error") or answer.get("message") or answer)
    fields = "".join(f"\n  {name}: {error}" for name, error in (answer.get("fieldErrors") or {}).items())
    if answer.get("code") == "SCHEDULE_REMAP_FAILED":
        endpoints = ", ".join(sorted({each["endpoint"] for each in answer["missing"]}))
        return f"{text} ({endpoints}): `extension-sdk install --disable-missing` disables those schedules"
    return text + fields
