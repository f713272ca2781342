"""GET /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.problems import rest
from scheduling.api.rendering import compact, install_fields
from scheduling.operations.installs.register import get_install

services = bootstrap.services()


@rest("install_get")
def handler(request: Request) -> Answer:
    """The install, disabled or not."""
    return answer(200, compact(install_fields(*get_install(services, request.install_id))))
