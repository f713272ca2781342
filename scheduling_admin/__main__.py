"""The entry point of `python -m scheduling_admin`; `--help` lists the commands."""

import sys
from importlib.util import find_spec
from pathlib import Path

LAYER = Path(__file__).resolve().parents[1] / "layers" / "scheduling"
REQUIRED = ("boto3", "htpy", "rich", "starlette", "typer", "uvicorn")
USAGE_ERROR = 2


def main() -> None:
    """Run one command and exit with its status."""
    require_packages()
    sys.path.append(str(LAYER))  # for a checkout without PYTHONPATH
    from scheduling_admin.app import app

    app(prog_name="scheduling-admin")


def require_packages() -> None:
    """Exit with a usage error if packages of the extra `admin` are not installed."""
    missing = [name for name in REQUIRED if find_spec(name) is None]
    if not missing:
        return
    sys.stderr.write(
        f"scheduling-admin requires {', '.join(missing)}: "
        "run `pip install -e '.[admin]'` in a checkout of this project.\n"
    )
    raise SystemExit(USAGE_ERROR)


if __name__ == "__main__":
    main()
