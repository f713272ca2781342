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


def decode_item(item):
    """Return the item's values without their types."""
    return {name: _decode_value(typed) for name, typed in item.items()}


def _decode_value(typed):
    ((kind, value),) = typed.items()
    return decode_item(value) if kind == "M" else _READ[kind](value)


def encode_item(values):
    """Return values with their types; None is left out."""
    return {name: _encode_value(value) for name, value in values.items() if value is not None}


def _encode_value(value):
    return {"N": str(value)} if type(value) is int else {_WRITE[type(value)]: value}


def install_key(install_id):
    return {"pk": f"INSTALL#{install_id}", "sk": "INSTALL"}


def schedule_key(install_id, schedule_id):
    return {"pk": f"INSTALL#{install_id}", "sk": f"SCHEDULE#{schedule_id}"}


def payload_key(install_id, schedule_id):
    return {"pk": f"INSTALL#{install_id}", "sk": f"SCHEDULE#{schedule_id}#PAYLOAD"}


def name_key(install_id, name):
    return {"pk": f"INSTALL#{install_id}", "sk": f"UNIQUE#{name}"}


def read_items(*keys):
    """Return the items of the keys, by sort key."""
    request = {TABLE: {"Keys": [encode_item(key) for key in keys], "ConsistentRead": True}}
    response = dynamodb.batch_get_item(RequestItems=request)
    items = map(decode_item, response["Responses"][TABLE])
    return {item["sk"]: item for item in items}


_version_endpoints = {}


def read_endpoints(install):
    """Return the endpoints of the installed version."""
    pk, sk = f"VERSION#{install['registryId']}", f"VERSION#{install['versionId']}"
    if (pk, sk) not in _version_endpoints:
        key = encode_item({"pk": pk, "sk": sk})
        response = dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": [key], "ConsistentRead": True}})
        (version,) = response["Responses"][TABLE]
        _version_endpoints[pk, sk] = [decode_item(each["M"]) for each in version["endpoints"]["L"]]
    return _version_endpoints[pk, sk]


def build_update(key, changes, condition, values=None, names=None):
    """Build an UpdateItem's arguments; a change to None removes the attribute."""
    names = {**(names or {}), **{f"#{name}": name for name in changes}}
    values = encode_item({**(values or {}), **{f":{name}": value for name, value in changes.items()}})
    sets = [f"#{name} = :{name}" for name, value in changes.items() if value is not None]
    removed = [f"#{name}" for name, value in changes.items() if value is None]
    expression = " ".join(
        [f"SET {', '.join(sets)}"] * bool(sets) + [f"REMOVE {', '.join(removed)}"] * bool(removed)
    )
    return {
        "TableName": TABLE,
        "Key": encode_item(key),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
