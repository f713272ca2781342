"""POST /admin/v1/installs/{installId}/enable"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.problems import rest
from scheduling.api.rendering import compact, install_fields
from scheduling.domain.ids import admin
from scheduling.operations.installs.register import get_install, set_enabled

services = bootstrap.services()


@rest("install_enable")
def handler(request: Request) -> Answer:
    """The install, enabled: its enabled schedules fire again."""
    set_enabled(services, request.install_id, enabled=True, by=admin(request.principal))
    return answer(200, compact(install_fields(*get_install(services, request.install_id))))
