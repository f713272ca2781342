"""The description of the HTTP API, docs/openapi.json, made from what the service is made of: `make docs`.

Routes and limits come from template.yaml, texts from the handlers, request bodies from the models that parse them,
errors from the error tree and its table of statuses, examples from events/. What a route accepts and returns beyond
that is in `operations`, `requests` and `responses`.
"""
