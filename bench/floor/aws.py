"""One botocore session, and DynamoDB's items as plain values."""

import os

from botocore.config import Config
from botocore.session import get_session

CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 3},
)
TABLE = os.environ["TABLE_NAME"]
session = get_session()
dynamodb = session.create_client("dynamodb", config=CONFIG)

_READ = {"S": str, "N": int, "BOOL": bool, "SS": set}
_WRITE = {str: "S", bool: "BOOL"}


def plain(item):
    """The item's values without their types."""
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed):
    ((kind, value),) = typed.items()
    return plain(value) if kind == "M" else _READ[kind](value)


def typed(values):
    """Values with their types, those that are None left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def _typed(value):
    return {"N": str(value)} if type(value) is int else {_WRITE[type(value)]: value}


def install_key(install_id):
    return {"pk": f"INSTALL#{install_id}", "sk": "INSTALL"}


def schedule_key(install_id, schedule_id):
    return {"pk": f"INSTALL#{install_id}", "sk": f"SCHEDULE#{schedule_id}"}


def name_key(install_id, name):
    return {"pk": f"INSTALL#{install_id}", "sk": f"UNIQUE#{name}"}


def read(*keys):
    """What stands under the keys, by the second part of each."""
    wanted = {TABLE: {"Keys": [typed(key) for key in keys], "ConsistentRead": True}}
    answer = dynamodb.batch_get_item(RequestItems=wanted)
    items = map(plain, answer["Responses"][TABLE])
    return {item["sk"]: item for item in items}


_versions = {}


def endpoints(install):
    """The endpoints of the installed version."""
    pk = f"VERSION#{install['registryId']}#{install['versionId']}"
    if pk not in _versions:
        key = typed({"pk": pk, "sk": "VERSION"})
        answer = dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": [key], "ConsistentRead": True}})
        (found,) = answer["Responses"][TABLE]
        _versions[pk] = [plain(each["M"]) for each in found["endpoints"]["L"]]
    return _versions[pk]


def update(key, changes, condition, values=None, names=None):
    """An UpdateItem's arguments: `changes` from name to value, where None removes."""
    names = {**(names or {}), **{f"#{name}": name for name in changes}}
    values = typed({**(values or {}), **{f":{name}": value for name, value in changes.items()}})
    sets = [f"#{name} = :{name}" for name, value in changes.items() if value is not None]
    removed = [f"#{name}" for name, value in changes.items() if value is None]
    expression = " ".join(
        [f"SET {', '.join(sets)}"] * bool(sets) + [f"REMOVE {', '.join(removed)}"] * bool(removed)
    )
    return {
        "TableName": TABLE,
        "Key": typed(key),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
