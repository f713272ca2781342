"""PUT /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.registration import registration
from scheduling.api.render import compact, install_fields
from scheduling.api.rest import rest
from scheduling.operations.installs import put_install

services = bootstrap.services()


@rest
def handler(request: Request) -> Answer:
    """The install, registered or changed."""
    install_id = request.new_install_id
    given = registration(request.json_object())
    install, new = put_install(services, install_id, given)
    return answer(201 if new else 200, compact(install_fields(install, given.version)))
