"""What the audit answers Lambda, and its log."""

from aws_lambda_powertools import Logger

from scheduling.operations.audit import Published

audit_log = Logger(service="audit", level="INFO")
"""A log of its own, which the level of the others does not silence."""


def report(published: Published) -> dict[str, object]:
    """Where in the stream Lambda is to begin again, if anywhere; each event that was taken has its line now."""
    for event in published.taken:
        audit_log.info(event.name.value, detail=event.detail)
    if published.again_from is None:
        return {"batchItemFailures": []}
    audit_log.warning("to be told of again", sequence=published.again_from)
    return {"batchItemFailures": [{"itemIdentifier": published.again_from}]}
