"""AWS and the runner as they answer in the bench: what stands never changes, so every call finds the same.

Imported by the measured processes too, so nothing but the standard library, and of that what they load anyway.
"""

import json
from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
_SECRET = {"SecretString": "k" * 40, "CreatedDate": 1_700_000_000, "VersionId": "1", "Name": "secret"}


class CannedAws:
    """Answers by a table's items, each in DynamoDB's typed form."""

    def __init__(self, items: list[Item]) -> None:
        by_key = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        self._items = dict(sorted(by_key.items()))

    def answer(self, target: str, path: str, body: bytes) -> bytes:
        """The body of the answer to a request with that `X-Amz-Target`, path and body."""
        if path.startswith("/schedules/"):
            return b'{"ScheduleArn":"arn:aws:scheduler:us-east-1:123456789012:schedule/group/name"}'
        if path == "/v1/execute":
            return b'{"status":200,"headers":{},"body_b64":""}'
        operation = target.rpartition(".")[2]
        if operation == "GetSecretValue":
            return json.dumps(_SECRET).encode()
        given = json.loads(body)
        return json.dumps(getattr(self, f"_{operation.lower()}")(given)).encode()

    def _batchgetitem(self, given: Mapping[str, Any]) -> Item:
        ((table, wanted),) = given["RequestItems"].items()
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in wanted["Keys"]]
        found = [self._items[key] for key in keys if key in self._items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _getitem(self, given: Mapping[str, Any]) -> Item:
        key = (given["Key"]["pk"]["S"], given["Key"]["sk"]["S"])
        return {"Item": self._items[key]} if key in self._items else {}

    def _query(self, given: Mapping[str, Any]) -> Item:
        values = given["ExpressionAttributeValues"]
        partition, first, last = (values[name]["S"] for name in sorted(values)[:3])
        found = [item for (pk, sk), item in self._items.items() if pk == partition and first <= sk <= last]
        if given.get("ScanIndexForward") is False:
            found.reverse()
        found = found[: given.get("Limit")]
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _updateitem(self, given: Mapping[str, Any]) -> Item:
        key = (given["Key"]["pk"]["S"], given["Key"]["sk"]["S"])
        return {"Attributes": self._items.get(key, given["Key"])} if given.get("ReturnValues") else {}

    def _transactwriteitems(self, _given: Mapping[str, Any]) -> Item:
        return {}

    _putitem = _deleteitem = _transactwriteitems
