"""`scripts/uv` gives uv what pip is configured with."""

import shutil
import subprocess
from pathlib import Path

import pytest

from local.settings import PROJECT_ROOT


def uv_environment(folder: Path, pip_config: str, **environment: str) -> dict[str, str]:
    """Run a copy of the script beside a pip with that configuration, and return the variables that uv gets."""
    bin_folder = folder / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (folder / "scripts").mkdir()
    script = shutil.copy(PROJECT_ROOT / "scripts" / "uv", folder / "scripts" / "uv")
    (folder / "pip.txt").write_text(pip_config)
    for name, command in (("python", f"cat '{folder}/pip.txt'"), ("uv", "env")):
        (bin_folder / name).write_text(f"#!/bin/sh\n{command}\n")
        (bin_folder / name).chmod(0o755)
    variables = {"PATH": "/usr/bin:/bin", **environment}
    done = subprocess.run([script], env=variables, capture_output=True, text=True, check=True)
    lines = (line.partition("=") for line in done.stdout.splitlines())
    names = ("UV_", "SSL_", "HTTPS_")
    return {name: value for name, _, value in lines if name.startswith(names) and name != "UV_SYSTEM_CERTS"}


@pytest.mark.parametrize(
    ("pip_config", "expected"),
    [
        ("", {}),
        ("global.index-url='https://mirror/simple'", {"UV_DEFAULT_INDEX": "https://mirror/simple"}),
        ("global.index-url='https://a'\ninstall.index-url='https://b'", {"UV_DEFAULT_INDEX": "https://b"}),
        (":env:.index-url='https://a'\ninstall.index-url='https://b'", {"UV_DEFAULT_INDEX": "https://a"}),
        (r"global.extra-index-url='\nhttps://a\nhttps://b'", {"UV_INDEX": "https://a https://b"}),
        ("global.cert='/corporate.pem'", {"SSL_CERT_FILE": "/corporate.pem"}),
        ("global.proxy='http://proxy:3128'", {"HTTPS_PROXY": "http://proxy:3128"}),
        ("global.trusted-host='mirror'", {"UV_INSECURE_HOST": "mirror"}),
        (
            ":env:.find-links='/no-such-folder /usr https://a'\n:env:.no-index='1'",
            {"UV_FIND_LINKS": "/usr,https://a", "UV_NO_INDEX": "1"},
        ),
    ],
)
def test_pip_configuration_is_passed_on(tmp_path: Path, pip_config: str, expected: dict[str, str]) -> None:
    assert uv_environment(tmp_path, pip_config) == expected


def test_what_is_set_for_uv_takes_precedence(tmp_path: Path) -> None:
    variables = {"UV_DEFAULT_INDEX": "https://b", "SSL_CERT_FILE": "/b.pem"}

    assert (
        uv_environment(tmp_path, "global.index-url='https://a'\nglobal.cert='/a.pem'", **variables)
        == variables
    )
