"""``python -m scheduling_admin``: see `--help`."""

import sys
from importlib.util import find_spec
from pathlib import Path

LAYER = Path(__file__).resolve().parents[1] / "layers" / "scheduling"
REQUIRED = ("boto3", "rich", "typer")
USAGE_ERROR = 2


def main() -> None:
    """Run one command; the exit status says how it went."""
    require_packages()
    sys.path.append(str(LAYER))  # where `make` has not put it on the path
    from scheduling_admin.app import app

    app(prog_name="scheduling-admin")


def require_packages() -> None:
    """Exit with a usage error where the packages of the extra `admin` are not installed."""
    missing = [name for name in REQUIRED if find_spec(name) is None]
    if not missing:
        return
    sys.stderr.write(
        f"scheduling-admin lacks {', '.join(missing)}: "
        "run `pip install -e '.[admin]'` in a checkout of this project.\n"
    )
    raise SystemExit(USAGE_ERROR)


if __name__ == "__main__":
    main()
