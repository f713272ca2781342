"""botocore as the layer has it: a copy of the installed one, trimmed by the layer's build."""

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
    """Copy what `trim` reads or leaves of the installed package, and its modules, into a folder."""
    services = {path.name for path in (BOTOCORE / "data").iterdir() if path.is_dir()}
    ignore = shutil.ignore_patterns("__pycache__", *(services - set(TRIM.CALLED)))
    shutil.copytree(BOTOCORE, folder, ignore=ignore, dirs_exist_ok=True)
    return folder


def trimmed_copy(folder: Path) -> Path:
    """Copy the installed package into a folder, and trim it."""
    TRIM.trim(copy_botocore(folder))
    return folder


def loader_of(package: Path) -> Loader:
    """Return a loader of that package's descriptions alone."""
    return Loader(extra_search_paths=[str(package / "data")], include_default_search_paths=False)
