"""Powertools' resolver, logger, tracer, metrics and idempotency, as in its cookbooks."""

import os

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from schedules import NotFound, ScheduleBody, create_schedule, get_schedule, list_schedules

logger, tracer = Logger(), Tracer()
metrics = Metrics(namespace="bench", service="bench")
app = APIGatewayHttpResolver(enable_validation=True)
idempotency_store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
idempotency_config = IdempotencyConfig(event_key_jmespath="key")


@app.exception_handler(NotFound)
def _not_found(error):
    return Response(404, "application/json", {"error": str(error)})


@app.get("/v1/installs/<install_id>/schedules")
@tracer.capture_method
def _list(install_id: str):
    return {"schedules": [each.model_dump() for each in list_schedules(install_id)]}


@app.get("/v1/installs/<install_id>/schedules/<schedule_id>")
@tracer.capture_method
def _get(install_id: str, schedule_id: str):
    return get_schedule(install_id, schedule_id).model_dump()


@app.post("/v1/installs/<install_id>/schedules")
@tracer.capture_method
def _create(install_id: str, body: ScheduleBody):
    metrics.add_metric("Created", MetricUnit.Count, 1)
    key = app.current_event.headers.get("idempotency-key")
    if key is None:
        return create_schedule(install_id, body).model_dump(), 201
    return _create_once(data={"key": key, "install": install_id, "body": body.model_dump()}), 201


@idempotent_function(
    data_keyword_argument="data", persistence_store=idempotency_store, config=idempotency_config
)
def _create_once(data):
    return create_schedule(data["install"], ScheduleBody(**data["body"])).model_dump()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event, context):
    return app.resolve(event, context)
