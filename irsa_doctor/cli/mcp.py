"""`irsa-doctor mcp`: the same questions for agents, over standard input and output."""

from typing import TYPE_CHECKING

from irsa_doctor.cli.limits import RunLimits, limit_options
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Paths, with_options
from irsa_doctor.cli.paths import input_paths
from irsa_doctor.cli.settings_options import settings_options
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Settings


@with_options(settings=settings_options, limits=limit_options, live=live_options)
def mcp(
    paths: Paths = None,
    *,
    settings: "Settings",
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Answer agents over the Model Context Protocol.

    The tools read these paths alone, and AWS or the cluster only with --aws, --kube or --live.

    Needs the extra: pip install 'irsa-doctor[mcp]'.
    """
    inputs = input_paths(paths, live)
    if "-" in inputs:
        raise wrong("-: standard input belongs to the protocol; name files or folders")
    try:
        from irsa_doctor.agents.server import Questions, server
    except ModuleNotFoundError as error:
        raise wrong(f"the package {error.name} is missing: pip install 'irsa-doctor[mcp]'") from error
    questions = Questions(inputs, settings, live, seconds=limits.seconds, memory=limits.memory)
    server(questions).run("stdio")
