"""The request to an endpoint and its response."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from extension_sdk._boundary import check_body, check_headers, check_status
from extension_sdk._json import dump_json, load_json
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
        return self.url.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of a repeated name the last value."""
        return dict(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

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
            BadRequest: The body is not JSON, or nested deeper than 256 levels.
        """
        if not self.body:
            return None
        try:
            return load_json(self.body)
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Response:
    """The response of an endpoint.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: The status is not from 200 to 599, or a header is invalid.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", check_status(self.status))
        object.__setattr__(self, "headers", check_headers(self.headers))
        object.__setattr__(self, "body", check_body(self.body))

    @classmethod
    def json(cls, value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        """Return a JSON response.

        Raises:
            TypeError: The value has something that JSON does not have, such as a datetime.
            ValueError: It has NaN, an infinite number or a lone surrogate, or is nested deeper than 256 levels.
        """
        all_headers = {"content-type": "application/json", **(headers or {})}
        return cls(status, all_headers, dump_json(value).encode())
