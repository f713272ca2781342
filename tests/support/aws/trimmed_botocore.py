"""A copy of the installed botocore, trimmed as the layer's build trims it."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import botocore
from botocore.loaders import Loader

BOTOCORE = Path(botocore.__file__).parent
TRIM_SCRIPT = Path(__file__).parents[3] / "layers" / "scheduling" / "trim_botocore.py"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not spec or not spec.loader:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TRIM = _load(TRIM_SCRIPT)


def copy_botocore(folder: Path) -> Path:
    """Copy the installed package into a folder, with the data that `trim` reads or keeps."""
    services = {path.name for path in (BOTOCORE / "data").iterdir() if path.is_dir()}
    ignore = shutil.ignore_patterns("__pycache__", *(services - set(TRIM.CALLED)))
    shutil.copytree(BOTOCORE, folder, ignore=ignore, dirs_exist_ok=True)
    return folder


def trimmed_copy(folder: Path) -> Path:
    """Copy the installed package into a folder and trim it."""
    TRIM.trim(copy_botocore(folder))
    return folder


def create_loader(package: Path) -> Loader:
    """Return a loader that reads that package's service models alone."""
    return Loader(extra_search_paths=[str(package / "data")], include_default_search_paths=False)
