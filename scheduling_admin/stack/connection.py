"""Connect to the stack that the options of a command name."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from scheduling.operations.runs.run_now import Deliver
from scheduling.operations.services import Services

from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.report import create_console
from scheduling_admin.stack.options import CommonOptions
from scheduling_admin.stack.outputs import Stack, is_loopback, parse_stack
from scheduling_admin.stack.session import AdminSession

NO_CREDENTIALS = (
    "No AWS credentials were found. Choose a profile with --profile or AWS_PROFILE, or log in (`aws sso login`, "
    "`aws configure`). The local stack needs none: use --endpoint-url http://127.0.0.1:4566."
)
_CLIENT_CONFIG = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2}
)


def connect(options: CommonOptions) -> AdminSession:
    """Connect to the stack that the options name.

    Raises:
        AdminError: The options are incomplete, or name no stack of this service.
        BotoCoreError, ClientError: AWS did not respond, or refused the request.
    """
    # One session for all clients: each further one would ask for the second factor again.
    botocore_session = _EndpointSession()
    session = boto3.Session(
        botocore_session=botocore_session, profile_name=options.profile, region_name=options.region
    )
    if options.endpoint_url:
        _set_endpoint(botocore_session, options.endpoint_url)
    if not session.region_name:
        text = "No region is configured: choose the stack's region with --region, AWS_REGION or the profile."
        raise AdminError(text, ExitStatus.USAGE)
    if session.get_credentials() is None:
        raise AdminError(NO_CREDENTIALS, ExitStatus.AWS)
    stack = _describe_stack(session, options.stack_name)
    services, deliver = _build_services(botocore_session, stack)
    return AdminSession(stack, services, deliver, session, create_console(sys.stderr), options.json)


class _EndpointSession(Session):
    """A session whose clients use `default_endpoint`, if it is set."""

    default_endpoint: str | None = None

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """Create a client; `set_config_variable` cannot set its endpoint."""
        kwargs["endpoint_url"] = kwargs.get("endpoint_url") or self.default_endpoint
        return super().create_client(*args, **kwargs)


def _set_endpoint(session: _EndpointSession, url: str) -> None:
    """Use the endpoint for all services; like that of the AWS CLI, the option overrides AWS_ENDPOINT_URL_<SERVICE>."""
    if not _is_url(url):
        text = f"--endpoint-url {url} is not a URL such as http://127.0.0.1:4566."
        raise AdminError(text, ExitStatus.USAGE)
    if url != os.environ.get("AWS_ENDPOINT_URL"):
        session.default_endpoint = url
    if is_loopback(url):
        _set_local_defaults(session)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _set_local_defaults(session: Session) -> None:
    """Set credentials and a region if there are none: an emulator requires some, but accepts any."""
    if session.get_credentials() is None:
        session.set_credentials("local", "local")
    if not session.get_config_variable("region"):
        session.set_config_variable("region", "us-east-1")


def _describe_stack(session: boto3.Session, name: str) -> Stack:
    client = session.client("cloudformation", config=_CLIENT_CONFIG)
    region = str(session.region_name)
    try:
        description: Mapping[str, object] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        error_details = error.response.get("Error", {})
        if error_details.get("Code") == "ValidationError" and "does not exist" in error_details.get(
            "Message", ""
        ):
            raise AdminError(
                _format_missing_stack(name, region, client.meta.endpoint_url), ExitStatus.NOT_FOUND
            ) from error
        raise
    return parse_stack(description, region)


def _format_missing_stack(name: str, region: str, endpoint: str) -> str:
    text = (
        f"There is no stack {name} in {region}. Choose it with --stack-name or EXTENSION_SCHEDULER_STACK, its "
        "region with --region, and its account with --profile."
    )
    if is_loopback(endpoint):
        text += " The stack of `make local` is extension-scheduler-local."
    return text


def _build_services(session: Session, stack: Stack) -> tuple[Services, Deliver]:
    log = logging.getLogger("scheduling")
    handlers = list(log.handlers)
    from scheduling import bootstrap, settings  # the slowest import of a command

    log.handlers[:] = handlers  # the import adds the functions' handler, which writes to stdout
    table = settings.TableSettings.from_environment(stack.environment)
    timers = settings.TimerSettings.from_environment(stack.environment)
    clock = _create_local_clock(stack.clock_url) if stack.clock_url else bootstrap.current_time
    services = bootstrap.build_services(table, timers, session, clock)
    return services, services.queue.send_fire


def _create_local_clock(url: str) -> Callable[[], datetime]:
    """Return the clock of a local stack, which is read each time because it can be frozen or moved."""

    def now() -> datetime:
        try:
            response = urllib3.request("GET", url, timeout=3, retries=False)
            return datetime.fromisoformat(response.json()["now"])
        except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
            text = f"The local stack's clock does not respond at {url}: is `make local` still running?"
            raise AdminError(text, ExitStatus.AWS) from error

    return now
