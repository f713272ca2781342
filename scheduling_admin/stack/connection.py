"""From a command's options to the stack's services; the one place that sets the environment they are made from."""

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
    "No AWS credentials are found. Choose a profile by --profile or AWS_PROFILE, or log in (`aws sso login`, "
    "`aws configure`). The local stack needs none: --endpoint-url http://127.0.0.1:4566."
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
    """The stack that the options name. Raises AdminError, and what botocore raises."""
    _apply_options(options)
    session = boto3.Session()
    if not session.region_name:
        text = "No region is chosen: name the stack's by --region, AWS_REGION, or in the profile."
        raise AdminError(text, ExitStatus.USAGE)
    _share_credentials(session)
    stack = _describe_stack(session, options.stack_name)
    os.environ.update(stack.environment)
    log = logging.getLogger("scheduling")
    handlers = list(log.handlers)
    from scheduling import bootstrap  # takes longer than all else here

    log.handlers[:] = handlers  # the functions' own, which came with it, writes to stdout
    if stack.clock_url:
        bootstrap.use_clock(_create_local_clock(stack.clock_url))
    console = create_console(sys.stderr)
    return AdminSession(
        stack, bootstrap.services(), bootstrap.executor_client().deliver_fire, session, console, options.json
    )


def _apply_options(options: CommonOptions) -> None:
    """Let every AWS client of this process be of that profile, region and endpoint."""
    if options.profile:
        for name in _CREDENTIAL_VARIABLES:
            os.environ.pop(name, None)  # they would come before the profile
        os.environ["AWS_PROFILE"] = options.profile
    if options.region:
        os.environ.update(AWS_REGION=options.region, AWS_DEFAULT_REGION=options.region)
    if options.endpoint_url:
        if not _is_url(options.endpoint_url):
            text = f"--endpoint-url {options.endpoint_url} is no URL such as http://127.0.0.1:4566."
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
    """An emulator wants some credentials and a region, whichever they are."""
    session = boto3.Session()
    if session.get_credentials() is None:
        os.environ.update(
            {name: value for name, value in _LOCAL_DEFAULTS.items() if name in _CREDENTIAL_VARIABLES}
        )
    if not session.region_name:
        os.environ["AWS_DEFAULT_REGION"] = _LOCAL_DEFAULTS["AWS_DEFAULT_REGION"]


def _share_credentials(session: boto3.Session) -> None:
    """Let a second factor be asked for once: each session by itself would ask again."""
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
        f"There is no stack {name} in {region}. Name it by --stack-name or EXTENSION_SCHEDULER_STACK, and its "
        "region by --region; another account takes another --profile."
    )
    if is_loopback(endpoint):
        text += " `make local` calls its stack extension-scheduler-local."
    return text


def _create_local_clock(url: str) -> Callable[[], datetime]:
    """The clock of a local stack, asked each time: it may stand still, or be moved."""

    def now() -> datetime:
        try:
            response = urllib3.request("GET", url, timeout=3, retries=False)
            return datetime.fromisoformat(response.json()["now"])
        except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
            text = f"The local stack's clock does not answer at {url}: does `make local` still run?"
            raise AdminError(text, ExitStatus.AWS) from error

    return now
