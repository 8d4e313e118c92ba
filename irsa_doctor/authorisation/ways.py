"""The closed table: which steps lead from somebody with some roles to other identities.

Sources: https://kubernetes.io/docs/concepts/security/rbac-good-practices/ ; each permission was checked on an API server.
"""

from collections.abc import Iterable, Iterator

from irsa_doctor.authorisation.creating import creatable, to_change, to_create
from irsa_doctor.authorisation.decisions import EVERYWHERE, ObjectNames, Permission
from irsa_doctor.authorisation.objects import AWS_AUTH, ClusterObjects, HeldPod
from irsa_doctor.authorisation.powers import ADMISSION, CHANGEABLE, WORKLOAD_RESOURCES, Powers
from irsa_doctor.authorisation.principals import MASTERS
from irsa_doctor.authorisation.role_ways import BindableRoles, RoleWays
from irsa_doctor.authorisation.roles import RoleGrant
from irsa_doctor.authorisation.steps import AccessWay, Use, WayCertainty, WayTarget

_ACCOUNT_USER = "system:serviceaccount:"
EPHEMERAL_CONTAINER = "-".join(("ephemeral", "container"))
"""the kind of the way; a rule about pods has the same name for its id"""
ANNOTATE = "annotate"
_ADMISSION = ("admission",)
_TOKEN = Permission("create", "", "serviceaccounts", "token")
_EXEC, _EXEC_GET = Permission("create", "", "pods", "exec"), Permission("get", "", "pods", "exec")
_ATTACH, _ATTACH_GET = Permission("create", "", "pods", "attach"), Permission("get", "", "pods", "attach")
_EPHEMERAL = tuple(Permission(verb, "", "pods", "ephemeralcontainers") for verb in ("patch", "update"))
_PROXY = tuple(Permission(verb, "", "nodes", "proxy") for verb in ("get", "create"))
_READ_SECRETS = tuple(Permission(verb, "", "secrets") for verb in ("get", "list", "watch"))
_IMPERSONATE = Permission("impersonate", "", "serviceaccounts")
_USERS, _GROUPS = Permission("impersonate", "", "users"), Permission("impersonate", "", "groups")


class Ways:
    """The ways of somebody with some powers among the objects of a cluster. `grants` are the roles that bindings give."""

    def __init__(
        self,
        powers: Powers,
        grants: Iterable[RoleGrant],
        objects: ClusterObjects,
        roles: BindableRoles,
        users: Iterable[str],
        groups: Iterable[str],
    ) -> None:
        self.powers = powers
        self.objects = objects
        self._role_ways = RoleWays(powers, tuple(grants), objects, roles)
        self.users = frozenset(user for user in users if not user.startswith(_ACCOUNT_USER))
        self.groups = frozenset(groups)

    def all(self) -> Iterator[AccessWay]:
        """Every way, some more than once."""
        for scope in self.powers.scopes:
            yield from self._tokens(scope)
            yield from self._new_workloads(scope)
            yield from self._workload_changes(scope)
            yield from self._pods(scope)
            yield from self._secrets(scope)
            yield from self._impersonated_accounts(scope)
            yield from self._role_ways.in_scope(scope)
            yield from self._annotations(scope)
        yield from self._impersonated()
        yield from self._role_ways.in_cluster()
        yield from self._auth_map()
        yield from self._webhooks()
        yield from self._nodes()

    # what is created

    def _new_workloads(self, scope: str) -> Iterator[AccessWay]:
        for group, resource in WORKLOAD_RESOURCES:
            create = self.powers.names(scope, to_create(group, resource))
            spaces = (scope,) if create.every else self.objects.spaces(scope) if create else ()
            for space in spaces:
                names, uses = creatable(self.powers, space, group, resource, self.objects.workloads.get((resource, space), ()))
                if names:
                    target = WayTarget("accounts", space)
                    yield AccessWay("create-workload", target, uses, sts=True, needs=_ADMISSION)

    def creates_workload(self, scope: str) -> tuple[Use, ...]:
        """What creating a workload in a namespace needs, () where none can be created; in a new one with the scope `*`."""
        for group, resource in WORKLOAD_RESOURCES:
            existing = () if scope == EVERYWHERE else self.objects.workloads.get((resource, scope), ())
            names, uses = creatable(self.powers, scope, group, resource, existing)
            if names:
                return uses
        return ()

    def changes_workload(self, space: str) -> tuple[Use, ...]:
        """What changing a workload of a namespace needs, () where none can be changed."""
        for group, resource in CHANGEABLE:
            existing = self.objects.workloads.get((resource, space), set())
            if existing and (use := self._changed(space, group, resource, existing)):
                return use
        return ()

    def _changed(self, space: str, group: str, resource: str, existing: set[str]) -> tuple[Use, ...]:
        for permission in to_change(group, resource):
            names = self.powers.names(space, permission)
            reached = existing if names.every else names.listed & existing
            if reached:
                return (Use(permission, space, min(reached)),)
        return ()

    def _workload_changes(self, scope: str) -> Iterator[AccessWay]:
        for group, resource in CHANGEABLE:
            if not self.powers.names(scope, *to_change(group, resource)):
                continue
            spaces = self.objects.spaces_of_workloads.get(resource, ()) if scope == EVERYWHERE else (scope,)
            for space in spaces:
                existing = self.objects.workloads.get((resource, space))
                if existing and (uses := self._changed(space, group, resource, existing)):
                    yield AccessWay("change-workload", WayTarget("accounts", space), uses, sts=True, needs=_ADMISSION)

    # accounts

    def _tokens(self, scope: str) -> Iterator[AccessWay]:
        for target, use in self._account_targets(scope, _TOKEN):
            yield AccessWay("token-request", target, (use,), sts=True)

    def _impersonated_accounts(self, scope: str) -> Iterator[AccessWay]:
        for target, use in self._account_targets(scope, _IMPERSONATE):
            yield AccessWay("impersonate", target, (use,))

    def _account_targets(self, scope: str, permission: Permission) -> Iterator[tuple[WayTarget, Use]]:
        names = self.powers.names(scope, permission)
        if names.every:
            yield WayTarget("accounts", scope), Use(permission, scope)
            return
        for space in self.objects.spaces(scope) if names else ():
            for name in names.listed.intersection(self.objects.accounts.get(space, ())):
                yield WayTarget("account", space, name), Use(permission, scope, name)

    def _annotations(self, scope: str) -> Iterator[AccessWay]:
        """Annotate an account and run code in a pod of it: the webhook gives new pods a token, and a restart makes one. Where
        a pod holds a token already that the role takes, nothing is gained; whoever knows the role leaves the way out."""
        names = self.powers.names(scope, *to_change("", "serviceaccounts"))
        for (space, account), pods in self.objects.pods_of.items() if names else ():
            if scope not in (EVERYWHERE, space) or account not in names:
                continue
            if account not in self.objects.accounts.get(space, ()):
                continue
            if code := next(filter(None, (self.runs_code(pod) for pod in pods)), None):
                write = next(p for p in to_change("", "serviceaccounts") if account in self.powers.names(scope, p))
                uses = (Use(write, space, account), code)
                target = WayTarget("account", space, account)
                yield AccessWay(ANNOTATE, target, uses, api=False, sts=True, certainty="possible", needs=("restart",))

    def runs_code(self, pod: HeldPod) -> Use | None:
        """The permission by which code can be run in a pod for certain."""
        by_get = (_EXEC_GET,) if self.objects.exec_by_get() else ()
        for permission in (_EXEC, *by_get, *_EPHEMERAL, *to_change("", "pods")):
            if pod.name in self.powers.names(pod.namespace, permission):
                return Use(permission, pod.namespace, pod.name)
        for permission in _PROXY if pod.node else ():
            if pod.node in self.powers.names(EVERYWHERE, permission):
                return Use(permission, EVERYWHERE, pod.node)
        return None

    # pods and secrets

    def _pods(self, scope: str) -> Iterator[AccessWay]:
        by_get = self.objects.exec_by_get()
        certain = (_EXEC, _EXEC_GET) if by_get else (_EXEC,)
        yield from self._of_pods(scope, "exec", certain)
        if by_get is None:
            yield from self._of_pods(scope, "exec", (_EXEC_GET,), "possible")
        attach = (_ATTACH,) if by_get is False else (_ATTACH, _ATTACH_GET)
        yield from self._of_pods(scope, "attach", attach, "possible", ("terminal",))
        yield from self._of_pods(scope, EPHEMERAL_CONTAINER, _EPHEMERAL, needs=_ADMISSION)
        yield from self._of_pods(scope, "pod-patch", to_change("", "pods"), needs=_ADMISSION)

    def _of_pods(
        self,
        scope: str,
        kind: str,
        permissions: tuple[Permission, ...],
        certainty: WayCertainty = "certain",
        needs: tuple[str, ...] = (),
    ) -> Iterator[AccessWay]:
        for permission in permissions:
            names = self.powers.names(scope, permission)
            if names.every:
                target, use = WayTarget("pods", scope), Use(permission, scope)
                yield AccessWay(kind, target, (use,), sts=True, certainty=certainty, needs=needs)
                continue
            for name in names.listed:
                for pod in self.objects.pods_named.get(name, ()):
                    if scope in (EVERYWHERE, pod.namespace):
                        target, use = WayTarget("pod", pod.namespace, name), Use(permission, scope, name)
                        yield AccessWay(kind, target, (use,), sts=True, certainty=certainty, needs=needs)

    def _nodes(self) -> Iterator[AccessWay]:
        for permission in _PROXY:
            names = self.powers.names(EVERYWHERE, permission)
            if names.every:
                yield AccessWay("node-proxy", WayTarget("nodes", EVERYWHERE), (Use(permission, EVERYWHERE),), sts=True)
            for name in names.listed.intersection(self.objects.pods_on):
                yield AccessWay("node-proxy", WayTarget("node", "", name), (Use(permission, EVERYWHERE, name),), sts=True)

    def _secrets(self, scope: str) -> Iterator[AccessWay]:
        for permission in _READ_SECRETS:
            names = self.powers.names(scope, permission)
            if names.every:
                yield AccessWay("legacy-secret", WayTarget("secrets", scope), (Use(permission, scope),))
                continue
            for space in self.objects.spaces(scope) if names else ():
                secrets = self.objects.secrets.get(space, {})
                for name in names.listed.intersection(secrets):
                    if secrets[name]:
                        yield AccessWay("legacy-secret", WayTarget("secret", space, name), (Use(permission, space, name),))
        yield from self._new_secrets(scope)

    def _new_secrets(self, scope: str) -> Iterator[AccessWay]:
        create, read = self.powers.names(scope, to_create("", "secrets")), self.powers.names(scope, *_READ_SECRETS)
        if not create or not read:
            return
        for space in (scope,) if create.every and read.every else self.objects.spaces(scope):
            existing = self.objects.secrets.get(space, ())
            names, uses = creatable(self.powers, space, "", "secrets", existing)
            fresh = names & read
            if fresh.every or fresh.listed.difference(existing):
                name = "" if fresh.every else min(fresh.listed.difference(existing))
                seen = next(p for p in _READ_SECRETS if self._is_there(space, p, name))
                uses = (*uses, Use(seen, space, name))
                yield AccessWay(
                    "create-secret", WayTarget("accounts", space), uses, certainty="likely", needs=("token-controller",)
                )

    def _is_there(self, scope: str, permission: Permission, name: str) -> bool:
        names = self.powers.names(scope, permission)
        return name in names if name else names.every

    # users and groups

    def _impersonated(self) -> Iterator[AccessWay]:
        users = self.powers.names(EVERYWHERE, _USERS)
        if users.every:
            yield AccessWay("impersonate", WayTarget("users"), (Use(_USERS, EVERYWHERE),))
        for name in users.listed & self.users:
            yield AccessWay("impersonate", WayTarget("user", "", name), (Use(_USERS, EVERYWHERE, name),))
        groups = self.powers.names(EVERYWHERE, _GROUPS)
        somebody = self._somebody(users) if groups else None
        if somebody is None:
            return
        if groups.every:
            yield AccessWay("impersonate", WayTarget("groups"), (Use(_GROUPS, EVERYWHERE), somebody))
        for name in groups.listed & {*self.groups, MASTERS}:
            yield AccessWay("impersonate", WayTarget("group", "", name), (Use(_GROUPS, EVERYWHERE, name), somebody))

    def _somebody(self, users: ObjectNames) -> Use | None:
        """A user or service account that may be impersonated: no group can be without one."""
        named = sorted(name for name in users.listed if not name.startswith(_ACCOUNT_USER))
        if users.every or named:
            return Use(_USERS, EVERYWHERE, "" if users.every else named[0])
        for scope in self.powers.scopes:
            names = self.powers.names(scope, _IMPERSONATE)
            if names:
                return Use(_IMPERSONATE, scope, "" if names.every else min(names.listed))
        return None

    # the cluster

    def _auth_map(self) -> Iterator[AccessWay]:
        if self.objects.mode == "API":
            return
        space, name = AWS_AUTH
        patch, update, create = *to_change("", "configmaps"), to_create("", "configmaps")
        if self.objects.has_aws_auth:
            able = [permission for permission in (patch, update) if name in self.powers.names(space, permission)]
            uses: tuple[Use, ...] = tuple(Use(permission, space, name) for permission in able[:1])
        elif self.powers.names(space, create).every:
            uses = (Use(create, space),)
        else:
            is_applied = name in self.powers.names(space, create) and name in self.powers.names(space, patch)
            uses = (Use(create, space, name), Use(patch, space, name)) if is_applied else ()
        if uses:
            certainty: WayCertainty = "likely" if self.objects.mode or self.objects.has_aws_auth else "possible"
            yield AccessWay("aws-auth", WayTarget("group", "", MASTERS), uses, certainty=certainty, needs=("iam-principal",))

    def _webhooks(self) -> Iterator[AccessWay]:
        group, resource = ADMISSION, "mutatingwebhookconfigurations"
        existing = self.objects.webhooks
        names, uses = creatable(self.powers, EVERYWHERE, group, resource, existing)
        if not names:
            for permission in to_change(group, resource):
                reached = self.powers.names(EVERYWHERE, permission)
                listed = existing if reached.every else reached.listed & existing
                if listed:
                    uses = (Use(permission, EVERYWHERE, min(listed)),)
        if uses := uses or self._admission_policies():
            target, needs = WayTarget("accounts", EVERYWHERE), ("pod-creation",)
            yield AccessWay("mutating-webhook", target, uses, sts=True, certainty="possible", needs=needs)

    def _admission_policies(self) -> tuple[Use, ...]:
        """What a policy that changes pods needs in place of a webhook: itself, and a binding of it."""
        if not self.objects.has_admission_policies:
            return ()
        made = [
            creatable(self.powers, EVERYWHERE, ADMISSION, resource, frozenset())
            for resource in ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
        ]
        return tuple(use for _, uses in made for use in uses) if all(names for names, _ in made) else ()

    # accounts and namespaces that do not exist

    def creates_account(self, space: str, name: str = "") -> tuple[tuple[str, tuple[Use, ...]], ...]:
        """What a new account in a namespace needs: nothing where there is no way. A name is that of an account which the trust
        names; without one the account has a fresh name, which no rule singles out."""
        create, patch = to_create("", "serviceaccounts"), Permission("patch", "", "serviceaccounts")
        names = self.powers.names(space, create)
        if names.every:
            making: tuple[Use, ...] = (Use(create, space),)
        elif name and name in names and name in self.powers.names(space, patch):
            making = (Use(create, space, name), Use(patch, space, name))
        else:
            return ()
        return self._used(space, name, making)

    def _used(self, space: str, name: str, making: tuple[Use, ...]) -> tuple[tuple[str, tuple[Use, ...]], ...]:
        tokens = self.powers.names(space, _TOKEN)
        if tokens.every or (name and name in tokens):
            return (("token-request", (*making, Use(_TOKEN, space, name if not tokens.every else ""))),)
        if uses := self.creates_workload(space) or (self.changes_workload(space) if space != EVERYWHERE else ()):
            return (("workload", (*making, *uses)),)
        return ()

    def creates_namespace(self, *, default: bool, other: bool) -> tuple[Use, ...]:
        """What a role needs that admits accounts of a namespace which does not exist: `default` or `other` ones."""
        create = to_create("", "namespaces")
        if not self.powers.names(EVERYWHERE, create).every:
            return ()
        making = (Use(create, EVERYWHERE),)
        if other and (used := self.creates_account(EVERYWHERE)):
            return (*making, *used[0][1])
        used = self._used(EVERYWHERE, "default", making) if default else ()
        return used[0][1] if used else ()
