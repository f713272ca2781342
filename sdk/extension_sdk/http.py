"""The request to an endpoint and its response."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from extension_sdk.errors import BadRequest
from extension_sdk.schedules import Json


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The occurrence of a schedule that a request serves."""

    schedule_id: str
    scheduled_time: datetime
    """When the schedule was due, in UTC."""
    attempt: int
    """1 for the first call of this occurrence."""
    trigger: str
    """What caused the call, for example `schedule`."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `params` are the path parameters, header names are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path of the URL."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of a repeated name the last value."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def scheduled(self) -> Occurrence | None:
        """The occurrence that this request serves, None for an ordinary request.

        It comes from headers, which are no proof of their origin.
        """
        try:
            scheduled_time = datetime.fromisoformat(self.headers["x-alga-scheduled-for"])
            attempt = int(self.headers["x-alga-attempt"])
            schedule_id, trigger = self.headers["x-alga-schedule-id"], self.headers["x-alga-trigger"]
        except (KeyError, ValueError):
            return None
        if scheduled_time.tzinfo is None:
            return None
        return Occurrence(schedule_id, scheduled_time, attempt, trigger)

    def json(self) -> Json:
        """Parse the body as JSON; return None if there is no body.

        Raises:
            BadRequest: The body is not JSON.
        """
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Response:
    """The response of an endpoint."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @classmethod
    def json(cls, value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        """Return a JSON response."""
        all_headers = {"content-type": "application/json", **(headers or {})}
        return cls(status, all_headers, json.dumps(value, ensure_ascii=False).encode())
