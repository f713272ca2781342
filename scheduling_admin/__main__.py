"""``python -m scheduling_admin``: see `--help`."""

import sys
from pathlib import Path

LAYER = Path(__file__).resolve().parents[1] / "layers" / "scheduling"


def main() -> None:
    """Run one command; the exit status says how it went."""
    sys.path.append(str(LAYER))  # where `make` has not put it on the path
    from scheduling_admin.app import app

    app(prog_name="scheduling-admin")


if __name__ == "__main__":
    main()
