"""Parameters that name volumes and guests."""

from pbstore.api.schema import Parameter
from pbstore.pve.value_types import Number, Text

VOLUME = Parameter(name="volume", schema=Text(description="Volume identifier.", minimum_length=1))
VMID = Parameter(
    name="vmid", schema=Number(description="The (unique) ID of the guest.", minimum=100, maximum=999999999)
)
