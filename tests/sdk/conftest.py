from pathlib import Path

import pytest
from extension_sdk_cli.project import Project
from extension_sdk_cli.scaffold import create_extension


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A new extension."""
    return Project.open(create_extension("night-counter", tmp_path))
