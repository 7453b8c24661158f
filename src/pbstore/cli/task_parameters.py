"""The parameters of `task` commands, in the client as in the manager."""

from pbstore.api.schema import Boolean, Integer, Parameter, String
from pbstore.model.upid import Upid

UPID = Parameter(name="upid", schema=String(description="Unique Process/Task Identifier", convert=Upid.parse))
LIST = (
    Parameter(
        name="limit",
        schema=Integer(description="The maximal number of tasks to list.", minimum=1, maximum=1000),
        optional=True,
        default=50,
    ),
    Parameter(name="all", schema=Boolean(description="Also list stopped tasks."), optional=True, default=False),
)
