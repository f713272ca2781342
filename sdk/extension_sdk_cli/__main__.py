"""The command `extension-sdk`."""

import sys
from importlib.util import find_spec

from extension_sdk_cli.errors import CommandError

_REQUIRED = {"componentize_py": "componentize-py", "rich": "rich", "typer": "typer", "zstandard": "zstandard"}
_USAGE_ERROR = 2


def main() -> None:
    """Run one command and exit with its status: 0, 1 where it fails, 2 for a wrong usage."""
    missing = [package for module, package in _REQUIRED.items() if find_spec(module) is None]
    if missing:
        sys.stderr.write(f"extension-sdk needs {', '.join(missing)}: pip install 'extension-sdk[build]'\n")
        raise SystemExit(_USAGE_ERROR)
    from extension_sdk_cli.app import app

    try:
        app(prog_name="extension-sdk")
    except CommandError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
