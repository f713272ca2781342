"""DELETE /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.problems import rest
from scheduling.domain.ids import admin
from scheduling.operations.installs.uninstall import delete_install

services = bootstrap.services()


@rest("install_delete")
def handler(request: Request) -> Answer:
    """Nothing, once the install is gone with every schedule, timer and name of it."""
    delete_install(services, request.install_id, by=admin(request.principal))
    return answer(204)
