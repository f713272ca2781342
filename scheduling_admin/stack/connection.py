"""Connect to the stack; the only module that sets environment variables, from which the services are built."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.report import create_console
from scheduling_admin.stack.options import CommonOptions
from scheduling_admin.stack.outputs import Stack, is_loopback, parse_stack
from scheduling_admin.stack.session import AdminSession

NO_CREDENTIALS = (
    "No AWS credentials were found. Choose a profile with --profile or AWS_PROFILE, or log in (`aws sso login`, "
    "`aws configure`). The local stack needs none: use --endpoint-url http://127.0.0.1:4566."
)
_CREDENTIAL_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_LOCAL_DEFAULTS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_CLIENT_CONFIG = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2}
)


def connect(options: CommonOptions) -> AdminSession:
    """Connect to the stack that the options name.

    Raises:
        AdminError: The options are incomplete, or name no stack of this service.
        BotoCoreError, ClientError: AWS did not respond, or refused the request.
    """
    _apply_options(options)
    session = boto3.Session()
    if not session.region_name:
        text = "No region is configured: choose the stack's region with --region, AWS_REGION or the profile."
        raise AdminError(text, ExitStatus.USAGE)
    _share_credentials(session)
    stack = _describe_stack(session, options.stack_name)
    os.environ.update(stack.environment)
    log = logging.getLogger("scheduling")
    handlers = list(log.handlers)
    from scheduling import bootstrap  # the slowest import of a command

    log.handlers[:] = handlers  # the import adds the functions' handler, which writes to stdout
    if stack.clock_url:
        bootstrap.use_clock(_create_local_clock(stack.clock_url))
    console = create_console(sys.stderr)
    return AdminSession(
        stack, bootstrap.services(), bootstrap.executor_client().deliver_fire, session, console, options.json
    )


def _apply_options(options: CommonOptions) -> None:
    """Make every AWS client of this process use the profile, region and endpoint of the options."""
    if options.profile:
        for name in _CREDENTIAL_VARIABLES:
            os.environ.pop(name, None)  # they would override the profile
        os.environ["AWS_PROFILE"] = options.profile
    if options.region:
        os.environ.update(AWS_REGION=options.region, AWS_DEFAULT_REGION=options.region)
    if options.endpoint_url:
        if not _is_url(options.endpoint_url):
            text = f"--endpoint-url {options.endpoint_url} is not a URL such as http://127.0.0.1:4566."
            raise AdminError(text, ExitStatus.USAGE)
        os.environ["AWS_ENDPOINT_URL"] = options.endpoint_url
        if is_loopback(options.endpoint_url):
            _use_local_defaults()


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _use_local_defaults() -> None:
    """Set credentials and a region if there are none: an emulator requires some, but accepts any."""
    session = boto3.Session()
    if session.get_credentials() is None:
        os.environ.update(
            {name: value for name, value in _LOCAL_DEFAULTS.items() if name in _CREDENTIAL_VARIABLES}
        )
    if not session.region_name:
        os.environ["AWS_DEFAULT_REGION"] = _LOCAL_DEFAULTS["AWS_DEFAULT_REGION"]


def _share_credentials(session: boto3.Session) -> None:
    """Share the credentials of an assumed role, since each further session would ask for the second factor again."""
    credentials = session.get_credentials()
    if credentials is None:
        raise AdminError(NO_CREDENTIALS, ExitStatus.AWS)
    if credentials.method == "assume-role":
        frozen_credentials = credentials.get_frozen_credentials()
        values = (frozen_credentials.access_key, frozen_credentials.secret_key, frozen_credentials.token)
        os.environ.update(
            {name: value for name, value in zip(_CREDENTIAL_VARIABLES, values, strict=True) if value}
        )


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
