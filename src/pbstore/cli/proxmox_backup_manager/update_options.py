"""Options that commands which change a configuration file have in common."""

from pbstore.api.schema import Enum, ListOf, Parameter, String

DIGEST = Parameter(
    name="digest",
    schema=String(
        description="Prevent changes if current configuration file has different SHA256 digest.",
        pattern="[0-9a-fA-F]{64}",
    ),
    optional=True,
)


def delete_option(properties: tuple[str, ...]) -> Parameter:
    """`--delete PROPERTY`, repeatable."""
    item = Enum(description="Property name.", values=properties)
    schema = ListOf(description="List of properties to delete.", item=item)
    return Parameter(name="delete", schema=schema, optional=True)
