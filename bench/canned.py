"""Canned responses of AWS and the runner: the state never changes, so every call gets the same response.

The measured processes import this module too, so it imports only standard modules that they load anyway.
"""

import json
from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
_SECRET = {"SecretString": "k" * 40, "CreatedDate": 1_700_000_000, "VersionId": "1", "Name": "secret"}


class CannedAws:
    """Responds from a table's items, in DynamoDB's typed form."""

    def __init__(self, items: list[Item]) -> None:
        by_key = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        self._items = dict(sorted(by_key.items()))

    def respond(self, target: str, path: str, body: bytes) -> bytes:
        """Return the response body for a request's `X-Amz-Target`, path and body."""
        if path.startswith("/schedules/"):
            return b'{"ScheduleArn":"arn:aws:scheduler:us-east-1:123456789012:schedule/group/name"}'
        if path == "/v1/execute":
            return b'{"status":200,"headers":{},"body_b64":""}'
        operation = target.rpartition(".")[2]
        if operation == "GetSecretValue":
            return json.dumps(_SECRET).encode()
        arguments = json.loads(body)
        return json.dumps(getattr(self, f"_{operation.lower()}")(arguments)).encode()

    def _batchgetitem(self, arguments: Mapping[str, Any]) -> Item:
        ((table, request),) = arguments["RequestItems"].items()
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in request["Keys"]]
        items = [self._items[key] for key in keys if key in self._items]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def _getitem(self, arguments: Mapping[str, Any]) -> Item:
        key = (arguments["Key"]["pk"]["S"], arguments["Key"]["sk"]["S"])
        return {"Item": self._items[key]} if key in self._items else {}

    def _query(self, arguments: Mapping[str, Any]) -> Item:
        values = arguments["ExpressionAttributeValues"]
        partition, first, last = (values[name]["S"] for name in sorted(values)[:3])
        items = [item for (pk, sk), item in self._items.items() if pk == partition and first <= sk <= last]
        if arguments.get("ScanIndexForward") is False:
            items.reverse()
        items = items[: arguments.get("Limit")]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def _updateitem(self, arguments: Mapping[str, Any]) -> Item:
        key = (arguments["Key"]["pk"]["S"], arguments["Key"]["sk"]["S"])
        return {"Attributes": self._items.get(key, arguments["Key"])} if arguments.get("ReturnValues") else {}

    def _transactwriteitems(self, _arguments: Mapping[str, Any]) -> Item:
        return {}

    _putitem = _deleteitem = _transactwriteitems
