"""The trust policies for GitHub Actions that modules of terraform-aws-modules/iam write, by their inputs.

https://registry.terraform.io/modules/terraform-aws-modules/iam/aws: `iam-github-oidc-role` until version 5, `iam-role` since.
"""

from collections.abc import Iterator, Mapping

import msgspec

from irsa_doctor.model import Text, joined, without_scheme
from irsa_doctor.sources.templates.terraform.module_calls import ModuleCall
from irsa_doctor.sources.templates.terraform.module_statements import (
    STS_AUDIENCE,
    condition_made,
    input_unknown,
    items_given,
    statement_made,
)
from irsa_doctor.sources.templates.values import TemplateValue, hole, scalar_text, template_provider_arn

GITHUB = "token.actions.githubusercontent.com"


def of_github(module: ModuleCall) -> Iterator[TemplateValue]:
    """iam-github-oidc-role: patterns of subjects, and an audience."""
    return _of_github(module, "provider_url", {"StringLike": module.inputs.get("subjects") or TemplateValue(())}, "audience")


def of_switched_github(module: ModuleCall) -> Iterator[TemplateValue]:
    """iam-role, where `enable_github_oidc` switches on what it has of GitHub."""
    enabled = module.inputs.get("enable_github_oidc")
    if enabled is None or not module.is_on("enable_github_oidc", otherwise=False):
        return
    if enabled.value not in (True, "true"):
        yield input_unknown(module, enabled, "enable_github_oidc")
        return
    tests = {"StringEquals": "oidc_subjects", "StringLike": "oidc_wildcard_subjects"}
    subjects = {test: module.inputs[name] for test, name in tests.items() if items_given(module.inputs.get(name)) != ()}
    yield from _of_github(module, "github_provider", subjects, "oidc_audiences")


def _of_github(module: ModuleCall, url: str, subjects: Mapping[str, TemplateValue], audience: str) -> Iterator[TemplateValue]:
    """The statement for an issuer of GitHub. The audience is asked for only where a token has one."""
    written = module.inputs.get(url)
    issuer = without_scheme(scalar_text(written.value) or hole(f"{module.address}.{url}")) if written else GITHUB
    audiences = module.inputs.get(audience)
    asked = audiences if audiences and audiences.value not in (None, ()) else TemplateValue(STS_AUDIENCE.value, *module.written)
    conditions = [
        condition_made("ForAllValues:StringEquals", joined((issuer, ":aud")), asked),
        *(condition_made(test, joined((issuer, ":sub")), _of_repositories(listed)) for test, listed in subjects.items()),
    ]
    extra = module.inputs.get("trust_policy_conditions")
    more = items_given(extra)
    conditions += [input_unknown(module, extra, "trust_policy_conditions")] if more is None else more
    principal = TemplateValue(template_provider_arn(module.address, joined(("https://", issuer))), *module.written)
    yield statement_made(principal, conditions, may_tag=True)


def _of_repositories(subjects: TemplateValue) -> TemplateValue:
    """Subjects of GitHub, before which the module writes `repo:` where the caller does not."""
    if not isinstance(subjects.value, tuple):
        return subjects
    texts = [(item, scalar_text(item.value)) for item in subjects.value]
    items = [item if text is None else msgspec.structs.replace(item, value=_with_repo(text)) for item, text in texts]
    return msgspec.structs.replace(subjects, value=tuple(items))


def _with_repo(subject: str | Text) -> str | Text:
    first = subject if isinstance(subject, str) else subject.parts[0]
    return subject if isinstance(first, str) and first.startswith("repo:") else joined(("repo:", subject))
