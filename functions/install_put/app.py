"""PUT /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request
from scheduling.api.parsing import one_install, put_of
from scheduling.api.problems import rest
from scheduling.api.registration import registration
from scheduling.operations.installs.register import put_install

services = bootstrap.services()


@rest("install_put")
def handler(request: Request) -> Answer:
    """The install, registered, changed, or moved to a version; in a dry run, as it would be."""
    put = put_of(request)
    given = registration(request.json_object())
    registered = put_install(services, request.new_install_id, given, put)
    return one_install(201 if registered.new else 200, registered, given.version, dry_run=put.dry_run)
