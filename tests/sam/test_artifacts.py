"""The artifacts of `sam build`, as files."""

import _imp
import io
import json
import os
import re
import ssl
import subprocess
import zipfile
from pathlib import Path

import pytest

from local.settings import PROJECT_ROOT
from tests.support.stacks.sam_local import ARCHITECTURE, BUILD

TEMPLATE = PROJECT_ROOT / "template.yaml"
LAYER = BUILD / "SchedulingLayer"
PACKAGES = LAYER / "python"
FUNCTIONS = sorted(BUILD.glob("*Function"))
FUNCTION_CALLS = {
    "dynamodb:ConditionCheckItem": "TransactWriteItems",
}
"""The API operation of each IAM action with another name."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
UNCHECKED_HASH = b"\x01\x00\x00\x00"
# Uses the modules that are imported at their first use.
PROBE = """
import glob, importlib.util, sys
for path in glob.glob("/functions/*Function/app.py"):
    spec = importlib.util.spec_from_file_location(path.split("/")[2], path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
from datetime import UTC, datetime
from scheduling.domain.cron.description import describe_rule
from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.cron.occurrences import fire_times
from scheduling.domain.cron.timezones import check_timezone
check_timezone("UTC")
describe_rule(parse_cron("0 9 * * *"), "UTC")
next(fire_times(parse_cron("0 9 * * *"), "UTC", datetime.now(UTC), datetime.max.replace(tzinfo=UTC)))
print(*(name for name, module in sys.modules.items() if (getattr(module, "__file__", "") or "").startswith("/opt/")))
"""

CONDITION_KEYS = {"dynamodb:LeadingKeys", "dynamodb:ReturnValues"}


def list_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def total_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in list_files(folder))


def test_every_function_has_a_folder() -> None:
    assert len(FUNCTIONS) == len(list(PROJECT_ROOT.glob("functions/*/app.py")))


def test_layer_is_small() -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in list_files(LAYER):
            archive.write(path, path.relative_to(LAYER))

    assert total_size(LAYER) <= 18_000_000
    assert zipped.tell() <= 6_500_000


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda path: path.name)
def test_function_contains_only_its_app(function: Path) -> None:
    assert [path.relative_to(function).as_posix() for path in list_files(function)] == [
        "__pycache__/app.cpython-313.pyc",
        "app.py",
    ]
    assert total_size(function) <= 8_000


@pytest.mark.parametrize("artifact", [LAYER, *FUNCTIONS], ids=lambda path: path.name)
def test_byte_code_matches_each_module_and_is_unchecked(artifact: Path) -> None:
    modules = sorted(artifact.rglob("*.py"))
    byte_code = [module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc" for module in modules]

    assert sorted(byte_code) == sorted(artifact.rglob("*.pyc"))
    for module, compiled in zip(modules, byte_code, strict=True):
        head = compiled.read_bytes()[:16]
        assert head[4:8] == UNCHECKED_HASH, compiled
        magic_number = int.from_bytes(head[:4], "little")
        assert head[8:] == _imp.source_hash(magic_number, module.read_bytes()), compiled


def elf_machines(layer: Path) -> set[str]:
    return {path.name.split("-")[2] for path in layer.rglob("*.cpython-313-*-linux-gnu.so")}


def test_layer_has_native_code_for_this_processor() -> None:
    assert elf_machines(LAYER) == {MACHINES[ARCHITECTURE]}
    assert len(list(LAYER.rglob("*.so*"))) == len(list(LAYER.rglob("*.cpython-313-*.so")))


def test_other_architecture_differs_in_native_code_only(tmp_path: Path) -> None:
    (other,) = MACHINES.keys() - {ARCHITECTURE}
    build_layer(other, tmp_path)

    assert elf_machines(tmp_path) == {MACHINES[other]}
    assert list_names(tmp_path) == list_names(LAYER)
    assert total_size(tmp_path) <= 18_000_000


def build_layer(architecture: str, folder: Path, **variables: str) -> None:
    source = PROJECT_ROOT / "layers" / "scheduling"
    rule = ["make", "--makefile", str(source / architecture / "Makefile"), "build-SchedulingLayer"]
    environment = {**os.environ, "ARTIFACTS_DIR": str(folder), **variables}
    subprocess.run(rule, cwd=source, env=environment, check=True)


def test_layer_with_whole_botocore_is_not_trimmed(tmp_path: Path) -> None:
    build_layer(ARCHITECTURE, tmp_path, BOTOCORE="whole")
    rules = "data/dynamodb/2012-08-10/endpoint-rule-set-1.json.gz"

    assert [(folder / "botocore" / "TRIMMED").exists() for folder in (PACKAGES, tmp_path / "python")] == [
        True,
        False,
    ]
    assert (tmp_path / "python" / "botocore" / rules).is_file()
    assert total_size(tmp_path) <= 250_000_000


def test_unknown_kind_of_botocore_is_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        build_layer(ARCHITECTURE, tmp_path, BOTOCORE="half")


def list_names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in list_files(folder) if path.suffix != ".so"}


def test_layer_describes_every_allowed_call() -> None:
    allowed = (
        set(re.findall(r"\b(?:dynamodb|events|scheduler|secretsmanager|sqs):[A-Z]\w+", TEMPLATE.read_text()))
        - CONDITION_KEYS
    )
    calls = {
        f"{action.partition(':')[0]}:{FUNCTION_CALLS.get(action, action.partition(':')[2])}"
        for action in allowed
    }

    assert calls - described_calls() == {
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:DescribeStream",
        "dynamodb:ListStreams",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }, "all but the calls that Lambda itself makes"


def described_calls() -> set[str]:
    models = PACKAGES.glob("botocore/data/*/*/service-2.json")
    return {
        f"{path.parts[-3]}:{name}" for path in models for name in json.loads(path.read_text())["operations"]
    }


def test_layer_trusts_the_certificate_authorities_of_aws() -> None:
    bundle = (PACKAGES / "botocore" / "cacert.pem").read_text()

    assert {f"Amazon Root CA {number}" for number in (1, 2, 3, 4)} <= set(
        re.findall(r'# Label: "(.*)"', bundle)
    )
    assert "Starfield Services Root Certificate Authority - G2" in bundle
    ssl.create_default_context(cadata=bundle)


def test_layer_contains_only_imported_packages() -> None:
    """Also checks the subpackages of powertools' utilities, the largest package."""
    image = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
    environment = [f"--env={name}={value}" for name, value in VARIABLES.items()]
    mounts = [f"--volume={LAYER}:/opt:ro", f"--volume={BUILD}:/functions:ro"]
    python = ["--entrypoint=/var/lang/bin/python3.13", image, "-c", PROBE]
    completed = subprocess.run(
        ["docker", "run", "--rm", "--network=none", *environment, *mounts, *python],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    imported = set(completed.stdout.split())

    assert list_packages(PACKAGES) - imported == set()
    utilities = list_packages(
        PACKAGES / "aws_lambda_powertools" / "utilities", "aws_lambda_powertools.utilities."
    )
    assert utilities - imported == set()


def list_packages(folder: Path, prefix: str = "") -> set[str]:
    return {
        prefix + path.stem
        for path in folder.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {f"{prefix}__init__"}


VARIABLES = {
    "PYTHONPATH": "/opt/python:/var/runtime",
    "LD_LIBRARY_PATH": "/var/lang/lib",
    "AWS_DEFAULT_REGION": "us-east-1",
    "STAGE": "local",
    "RUNNER_BASE_URL": "http://127.0.0.1:9",
    **dict.fromkeys(
        (
            "TABLE_NAME",
            "SCHEDULE_GROUP_NAME",
            "OCCURRENCE_QUEUE_URL",
            "TIMER_ROLE_ARN",
            "TIMER_DLQ_ARN",
            "STACK_NAME",
            "RUNNER_TOKEN_SECRET_ID",
            "CALLBACK_KEY_SECRET_ID",
            "EVENT_BUS_NAME",
        ),
        "any",
    ),
}
