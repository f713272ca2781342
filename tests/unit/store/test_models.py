"""The names under which attributes are stored: a row that was written under another name has lost its value."""

import re

import pytest
from pynamodb.models import Model
from scheduling.store import models

ROWS = [
    row
    for row in vars(models).values()
    if isinstance(row, type) and issubclass(row, Model) and row.__module__ == models.__name__
]


@pytest.mark.parametrize("row", ROWS)
def test_attributes_are_stored_in_camel_case(row: type[Model]) -> None:
    stored_names = {name: attribute.attr_name for name, attribute in row.get_attributes().items()}

    assert stored_names == {
        name: re.sub("_(.)", lambda match: match[1].upper(), name) for name in stored_names
    }
