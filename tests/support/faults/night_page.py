"""`make night`: play the faults of a night, and write `docs/night.md`."""

import tempfile
from pathlib import Path

from tests.support.faults.night import NIGHT_PAGE, render_page_of_rows, start_night
from tests.support.faults.night_faults import FAULTS


def main() -> None:
    """Write and print the page."""
    with tempfile.TemporaryDirectory() as folder, start_night(Path(folder)) as night:
        page = render_page_of_rows([night.play(fault).render() for fault in FAULTS])
    NIGHT_PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
