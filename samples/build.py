"""Build the sample extension into a WASM component: `python -m samples.build`."""

import sys
import time
from pathlib import Path

from extension_sdk_cli.build import build_extension

ROOT = Path(__file__).resolve().parent.parent
EXTENSIONS = ROOT / "build" / "extensions"


def main() -> None:
    """Build the sample extension."""
    start_time = time.monotonic()
    out_dir = EXTENSIONS / "scheduler_demo"
    built = build_extension(ROOT / "samples" / "scheduler_demo", out_dir)
    outcome = f"built in {time.monotonic() - start_time:.1f} s" if built else "up to date"
    sys.stdout.write(f"{out_dir.relative_to(ROOT)}: {outcome}\n")


if __name__ == "__main__":
    main()
