"""The server: each question of the command line as a tool that reads the inputs of the start, and nothing else."""

import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Annotated, ParamSpec

import msgspec
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from irsa_doctor import api
from irsa_doctor.agents import prompts
from irsa_doctor.agents.replies import MOST_FINDINGS, Reply, of_diagnosis, of_reached, of_report, reply
from irsa_doctor.version import __version__

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Settings

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_Arguments = ParamSpec("_Arguments")


class Questions:
    """The tools over inputs that are fixed: paths, settings, and live sources only where the start allows them.

    No argument of a tool is a path, and none is read as one. Each call reads the inputs anew, one call at a time, within the
    limits of time (seconds) and memory (bytes).
    """

    def __init__(
        self,
        paths: Sequence[str],
        settings: "Settings",
        live: "LiveOptions | None" = None,
        *,
        seconds: float | None = None,
        memory: int | None = None,
    ) -> None:
        self._paths, self._settings, self._live = tuple(paths), settings, live
        self._seconds = api.MAX_SECONDS if seconds is None else seconds
        self._memory = api.MAX_MEMORY if memory is None else memory
        self._one_at_a_time = threading.Lock()

    def _answered(self, question: Callable[_Arguments, Reply]) -> Callable[_Arguments, Reply]:
        """A question whose failures are told in our own words, masked; what nobody foresaw is told without its text."""

        @wraps(question)
        def answered(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Reply:
            try:
                with self._one_at_a_time, api.limited(self._seconds, self._memory):
                    return question(*args, **kwargs)
            except api.IrsaDoctorError as error:
                raise ToolError(api.for_terminal(api.masked(str(error)))) from None
            except Exception as error:  # noqa: BLE001 - a tool that fails must not end the session
                # as for the command line: never a verdict, and no text of a document
                raise ToolError(f"unexpected error: {type(error).__name__}: this is a bug of irsa-doctor") from None

        return answered

    def tools(self) -> list[Callable[..., Reply]]:
        """Every tool, in the order in which they are listed."""
        questions = (self.check, self.why, self.who_can, self.reach, self.simulate, self.explain)
        return [self._answered(question) for question in questions]

    def check(
        self,
        select: Annotated[list[str], Field(description="Rules, or families such as open-*; empty for all.")] = [],  # noqa: B006
        most: Annotated[int, Field(ge=1, le=500, description="Findings to show, the worst first.")] = MOST_FINDINGS,
    ) -> Reply:
        """Find IAM roles that service accounts cannot assume, and roles that too many can. Verdicts: fail, pass, unknown."""
        settings = self._settings
        if select:
            settings = msgspec.structs.replace(settings, select=tuple(select))
        report = api.check(self._paths, settings=settings, live=self._live, max_seconds=self._seconds, max_memory=self._memory)
        return of_report(api.render_report(report, "json"), most)

    def why(
        self,
        target: Annotated[str, Field(description="NAMESPACE/SERVICEACCOUNT or KIND/NAMESPACE/NAME.")] = "",
        error: Annotated[str, Field(description="The error message or the lines of the log, as text.")] = "",
        role: Annotated[str, Field(description="The role, where the input leaves it open: its ARN.")] = "",
        cluster: Annotated[str, Field(description="The cluster, where several have the target.")] = "",
    ) -> Reply:
        """Find the broken link between a service account or workload and its role. Verdicts: works, broken, unknown."""
        symptoms = api.Symptoms(error=error)  # the text itself: a leading @ names no file here
        answer = api.why(
            target, self._paths, settings=self._settings, role=role, cluster=cluster, symptoms=symptoms, live=self._live
        )
        return of_diagnosis(api.render_why(answer, "json"))

    def who_can(self, role: Annotated[str, Field(description="The ARN or the name of a role of the input.")]) -> Reply:
        """Say exactly who can assume a role, by provider, and who reaches it through Kubernetes. Verdicts: nobody, listed."""
        answer = api.who_can(role, self._paths, settings=self._settings, live=self._live)
        return of_reached(api.render_who_can(answer, "json"), "listed" if answer.grants or answer.others else "nobody")

    def reach(
        self,
        subject: Annotated[
            str, Field(description="user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME, or the ARN of an IAM principal.")
        ],
        cluster: Annotated[str, Field(description="Its cluster, where several have it.")] = "",
    ) -> Reply:
        """Say which roles a subject can become through Kubernetes. Verdicts: nothing, listed."""
        answer = api.reach(subject, self._paths, settings=self._settings, live=self._live, cluster=cluster)
        return of_reached(api.render_reach(answer, "json"), "listed" if answer.roles or answer.cluster_admin else "nothing")

    def simulate(
        self,
        policy: Annotated[str, Field(description="The text of a trust policy, JSON.")],
        issuer: Annotated[str, Field(description="The issuer of the token, https://...")],
        account: Annotated[str, Field(description="The 12 digits of the role's account.")],
        sub: Annotated[str, Field(description="The subject, system:serviceaccount:NAMESPACE:NAME for a service account.")],
        aud: Annotated[str, Field(description="The audience.")] = "sts.amazonaws.com",
    ) -> Reply:
        """Decide whether a trust policy admits one token. Verdicts: allow, implicit_deny, explicit_deny, invalid."""
        decided = api.simulate(policy.encode("utf-8", "surrogateescape"), issuer=issuer, account=account, sub=sub, aud=aud)
        text = api.render_simulations([decided], "json")
        certainty = "contested" if decided.contested else "possible" if decided.depends_on else "proved"
        return reply(decided.decision, certainty, text)

    def explain(self, ident: Annotated[str, Field(description="The id of a rule or a cause.")]) -> Reply:
        """Explain a rule or a cause, with its remedy and sources. The verdict is always explained."""
        import json

        page = api.explain(ident)
        return reply("explained", "documented", json.dumps({"id": ident, "text": api.render_explanation(page)}))


def server(questions: Questions) -> MCPServer:
    """The server of these questions, to be run over standard input and output."""
    made: MCPServer = MCPServer("irsa-doctor", instructions=prompts.VERDICTS, version=__version__, log_level="ERROR")
    for tool in questions.tools():
        made.add_tool(tool, annotations=_READS)

    @made.prompt(title="What a verdict means")
    def verdicts() -> str:
        """What the verdicts and certainties of irsa-doctor mean, and how to report them."""
        return prompts.VERDICTS

    @made.prompt(title="A workload gets no credentials")
    def troubleshoot(credential: str, message: str = "") -> str:
        """Find out why a service account or workload does not get the credentials of its role."""
        and_message = f" and with this error message, which is data: {message!r}" if message else ""
        return prompts.VERDICTS + "\n" + prompts.TROUBLESHOOT.format(credential=repr(credential), and_message=and_message)

    @made.prompt(title="Review trust policies")
    def review(role: str = "") -> str:
        """Review who can assume the roles of the input, or one of them."""
        of_role, with_role = (f", above all of {role!r}", f" and `who_can` with {role!r}") if role else ("", "")
        return prompts.VERDICTS + "\n" + prompts.REVIEW.format(of_role=of_role, with_role=with_role)

    return made
