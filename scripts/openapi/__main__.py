"""Write docs/openapi.json."""

import sys

from scripts.openapi.document import DESCRIPTION, render_document


def main() -> int:
    """Update the description."""
    DESCRIPTION.write_text(render_document(), encoding="utf-8")
    sys.stdout.write("docs/openapi.json is up to date with template.yaml, the models and the errors\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
