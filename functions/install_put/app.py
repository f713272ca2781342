"""PUT /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import install_response, parse_put_options
from scheduling.api.problems import rest_handler
from scheduling.api.registration import parse_registration
from scheduling.operations.installs.register import put_install

services = bootstrap.services()


@rest_handler("install_put")
def handler(request: Request) -> Response:
    """The install, registered, changed, or moved to a version; in a dry run, as it would be."""
    options = parse_put_options(request)
    registration = parse_registration(request.parse_json_body())
    result = put_install(services, request.new_install_id, registration, options)
    return install_response(201 if result.new else 200, result, registration.version, dry_run=options.dry_run)
