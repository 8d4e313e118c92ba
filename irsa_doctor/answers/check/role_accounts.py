"""The service accounts that a finding about a role concerns: those that use the role, or those of them that it keeps out."""

from collections.abc import Iterable
from functools import partial

from irsa_doctor.facts import AnalysedRole, Judged, View
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model import Verdict
from irsa_doctor.model.findings import NO_ACCOUNTS, AccountList, RoleAccounts
from irsa_doctor.remedies.trust_policy import provider_for
from irsa_doctor.rulebook.rules import Rule
from irsa_doctor.trust import Admitted, Policy, admitted

_LISTED = 20
_OPEN = "open"
"""the family of the rules about roles that admit too many: such a role keeps nobody out"""


class AccountsOfRoles:
    """The service accounts of each role of a view. They are worked out when somebody reads them, once for each role."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lists: dict[tuple[str, bool], AccountList] = {}

    def __call__(self, rule: Rule, judged: Judged) -> RoleAccounts:
        """Returns those that a finding concerns; none where it is not about a role or a grant."""
        if judged.kind not in ("role", "grant") or judged.case:
            return NO_ACCOUNTS
        return RoleAccounts(partial(self._listed, judged.group, rule.family != _OPEN))

    def _listed(self, role: str, kept_out: bool) -> AccountList:
        key = (role, kept_out)
        if key not in self._lists:
            users = self._view.role_users.get(role, ())
            ids = sorted({user.id for user in (self._kept_out(role, users) if kept_out else users)})
            self._lists[key] = AccountList(tuple(ids[:_LISTED]), len(ids), kept_out)
        return self._lists[key]

    def _kept_out(self, role: str, users: Iterable[RoleUser]) -> list[RoleUser]:
        """Those whose tokens the role surely refuses. Whoever has a Pod Identity association does not rely on tokens."""
        analysed = self._view.role_by_id.get(role)
        policy = analysed.policy if analysed else None
        if analysed is None or policy is None or any(s.unseen or not s.effect_seen for s in policy.statements):
            return []
        known = [user for user in users if user.issuer and user.audience and not user.pod_identity]
        languages = {issuer: _language(analysed, policy, issuer) for issuer in {user.issuer for user in known}}
        return [user for user in known if _refuses(languages[user.issuer], user)]


def _language(analysed: AnalysedRole, policy: Policy, issuer: str) -> Admitted:
    """What a role admits of the tokens of an issuer (without scheme)."""
    provider = provider_for(analysed.role, issuer)
    language = analysed.by_provider.get(provider)
    return language or admitted(policy, provider, issuer, profile=cluster_profile(issuer))


def _refuses(language: Admitted, user: RoleUser) -> bool:
    decided = not (language.contested or language.unseen or language.too_complex)
    return decided and language.verdict(user.subject, user.audience) is Verdict.FAIL
