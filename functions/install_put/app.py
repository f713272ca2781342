"""PUT /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, parse_both
from scheduling.api.problems import rest_handler
from scheduling.api.registration import MAX_REGISTRATION_BYTES, parse_put_options, parse_registration
from scheduling.api.rendering import put_response
from scheduling.operations.installs.register import put_install

services = bootstrap.services()
known_capabilities = bootstrap.known_capabilities()


@rest_handler("install_put")
def handler(request: Request) -> Response:
    """Register the install, change it, or move it to a version; a dry run returns the result without a change."""
    (install_id, options), registration = parse_both(
        lambda: parse_both(lambda: request.new_install_id, lambda: parse_put_options(request)),
        lambda: parse_registration(request.parse_json_body(MAX_REGISTRATION_BYTES), known_capabilities),
    )
    result = put_install(services, install_id, registration, options)
    return put_response(result, registration, dry_run=options.dry_run)
