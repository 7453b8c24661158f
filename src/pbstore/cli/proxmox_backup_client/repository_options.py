"""Options that name the repository and the namespace, and how they are read."""

from pbstore.api.schema import Integer, Parameter, String
from pbstore.cli.console import Console
from pbstore.client.repository import RepositorySpec
from pbstore.client.repository_choice import RepositoryOptions, choose_repository, find_repository
from pbstore.model.namespace import Namespace

REPOSITORY = (
    Parameter(
        name="repository",
        schema=String(description="Repository URL: [[auth-id@]server[:port]:]datastore", maximum_length=256),
        optional=True,
    ),
    Parameter(
        name="server",
        schema=String(description="Backup server address (hostname or IP). Default: localhost"),
        optional=True,
    ),
    Parameter(
        name="port",
        schema=Integer(description="Backup server port. Default: 8007", minimum=1, maximum=65535),
        optional=True,
    ),
    Parameter(name="datastore", schema=String(description="Datastore name."), optional=True),
    Parameter(name="auth-id", schema=String(description="Authentication ID"), optional=True),
)

NAMESPACE = Parameter(name="ns", schema=String(description="Namespace.", convert=Namespace.parse), optional=True)

SUBJECT_NAMESPACE = Parameter(
    name="ns", schema=String(description="Namespace.", convert=Namespace.parse), optional=True
)
"""Of commands about a namespace itself, which is given by place."""
TARGET_NAMESPACE = Parameter(name="target-ns", schema=String(description="Target namespace.", convert=Namespace.parse))


def repository_options(options: dict[str, object]) -> RepositoryOptions:
    """Pick the repository's options out of a command's keyword arguments."""
    names = ("repository", "server", "port", "datastore", "auth_id")
    return RepositoryOptions(**{name: options.get(name) for name in names})  # type: ignore[arg-type]


def wanted_repository(console: Console, options: dict[str, object]) -> RepositorySpec:
    """The repository that options and environment name.

    Raises:
        PbstoreError: none, or one that does not parse.
    """
    return choose_repository(repository_options(options), console.environment)


def possible_repository(console: Console, options: dict[str, object]) -> RepositorySpec | None:
    """As `wanted_repository`, None where nothing names one."""
    return find_repository(repository_options(options), console.environment)


def wanted_namespace(console: Console, namespace: Namespace | None) -> Namespace:
    """The namespace of `--ns`, else of `PBS_NAMESPACE`, else the root.

    Raises:
        FormatError: the variable holds no namespace.
    """
    if namespace is not None:
        return namespace
    return Namespace.parse(console.environment.get("PBS_NAMESPACE", ""))
