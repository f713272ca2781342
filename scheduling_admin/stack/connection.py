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

from scheduling_admin.errors import AdminError, Exit
from scheduling_admin.output.report import console_on
from scheduling_admin.stack.options import Options
from scheduling_admin.stack.outputs import Stack, is_loopback, stack_of
from scheduling_admin.stack.session import Operator

NO_CREDENTIALS = (
    "No AWS credentials are found. Choose a profile by --profile or AWS_PROFILE, or log in (`aws sso login`, "
    "`aws configure`). The local stack needs none: --endpoint-url http://127.0.0.1:4566."
)
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_LOCAL = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


def connect(options: Options) -> Operator:
    """The stack that the options name. Raises AdminError, and what botocore raises."""
    _choose(options)
    session = boto3.Session()
    if not session.region_name:
        text = "No region is chosen: name the stack's by --region, AWS_REGION, or in the profile."
        raise AdminError(text, Exit.USAGE)
    _share_credentials(session)
    stack = _find(session, options.stack_name)
    os.environ.update(stack.environment)
    log = logging.getLogger("scheduling")
    handlers = list(log.handlers)
    from scheduling import bootstrap  # takes longer than all else here

    log.handlers[:] = handlers  # the functions' own, which came with it, writes to stdout
    if stack.clock_url:
        bootstrap.use_clock(_local_clock(stack.clock_url))
    console = console_on(sys.stderr)
    return Operator(stack, bootstrap.services(), bootstrap.executor().deliver, session, console, options.json)


def _choose(options: Options) -> None:
    """Let every AWS client of this process be of that profile, region and endpoint."""
    if options.profile:
        for name in _KEYS:
            os.environ.pop(name, None)  # they would come before the profile
        os.environ["AWS_PROFILE"] = options.profile
    if options.region:
        os.environ.update(AWS_REGION=options.region, AWS_DEFAULT_REGION=options.region)
    if options.endpoint_url:
        if not _is_url(options.endpoint_url):
            text = f"--endpoint-url {options.endpoint_url} is no URL such as http://127.0.0.1:4566."
            raise AdminError(text, Exit.USAGE)
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
        os.environ.update({name: value for name, value in _LOCAL.items() if name in _KEYS})
    if not session.region_name:
        os.environ["AWS_DEFAULT_REGION"] = _LOCAL["AWS_DEFAULT_REGION"]


def _share_credentials(session: boto3.Session) -> None:
    """Let a second factor be asked for once: each session by itself would ask again."""
    credentials = session.get_credentials()
    if credentials is None:
        raise AdminError(NO_CREDENTIALS, Exit.AWS)
    if credentials.method == "assume-role":
        frozen = credentials.get_frozen_credentials()
        values = (frozen.access_key, frozen.secret_key, frozen.token)
        os.environ.update({name: value for name, value in zip(_KEYS, values, strict=True) if value})


def _find(session: boto3.Session, name: str) -> Stack:
    client = session.client("cloudformation", config=_CONFIG)
    region = str(session.region_name)
    try:
        found: Mapping[str, object] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        told = error.response.get("Error", {})
        if told.get("Code") == "ValidationError" and "does not exist" in told.get("Message", ""):
            raise AdminError(_no_stack(name, region, client.meta.endpoint_url), Exit.NOT_FOUND) from error
        raise
    return stack_of(found, region)


def _no_stack(name: str, region: str, endpoint: str) -> str:
    text = (
        f"There is no stack {name} in {region}. Name it by --stack-name or EXTENSION_SCHEDULER_STACK, and its "
        "region by --region; another account takes another --profile."
    )
    if is_loopback(endpoint):
        text += " `make local` calls its stack extension-scheduler-local."
    return text


def _local_clock(url: str) -> Callable[[], datetime]:
    """The clock of a local stack, asked each time: it may stand still, or be moved."""

    def now() -> datetime:
        try:
            answer = urllib3.request("GET", url, timeout=3, retries=False)
            return datetime.fromisoformat(answer.json()["now"])
        except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
            text = f"The local stack's clock does not answer at {url}: does `make local` still run?"
            raise AdminError(text, Exit.AWS) from error

    return now
