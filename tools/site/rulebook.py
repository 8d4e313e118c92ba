"""A page for every rule, cause and framework."""

from collections.abc import Iterable, Iterator, Mapping

from irsa_doctor.api.rules import show_rule
from irsa_doctor.reports.rule_page import severity_of
from irsa_doctor.rulebook.causes import Cause, all_causes
from irsa_doctor.rulebook.files import Example, Illustration, RuleFile, read_rule_files, rules_folder
from irsa_doctor.rulebook.frameworks import Framework, frameworks
from irsa_doctor.rulebook.messages import Message
from irsa_doctor.rulebook.rules import Rule
from tools.site.errors import error_title, messages_of
from tools.site.page import Page, as_yaml, block, bullets, code, command, literal, page, prose, references, table, titled

_EXAMPLES = 2
"""examples of each kind that a page shows"""
_BASE = "The examples are changes of a healthy world, and are run when the rules are tested; `null` removes a member."


def rulebook_pages() -> Iterator[Page]:
    """The pages of rules, of causes that no rule finds, and of frameworks."""
    files = sorted(read_rule_files(rules_folder()), key=lambda file: (file.rule.family, file.rule.id))
    rules = [file.rule for file in files]
    yield from (_rule_page(file) for file in files)
    yield from (_cause_page(cause) for cause in all_causes().values() if not cause.rule)
    yield from (_framework_page(framework, rules) for framework in frameworks().values())
    yield _frameworks_page(frameworks())


# rules


def _rule_page(file: RuleFile) -> Page:
    rule, shown = file.rule, show_rule(file.rule.id).example
    settle = rule.cause.settle if rule.cause else ""
    return page(
        f"rules/{rule.id}.md",
        f"{rule.id}: {literal(rule.title)}",
        "[Rules](../rules.md) · " + code(rule.family),
        f"**{severity_of(rule)}**, confidence {rule.confidence}; subject: {' or '.join(rule.subject)}",
        prose(rule.why),
        titled("What to do", prose(rule.remedy)),
        titled("How to find out", block(command(settle), "sh") if settle else ""),
        titled("Example", _illustrated(shown) if shown else ""),
        titled("Fails", *_examples(file.examples.bad)),
        titled("Passes", *_examples(file.examples.good), _BASE),
        _messages(rule.id),
        references(rule.references),
        titled("Controls", _controls(rule)),
        titled(
            "On the command line",
            block(_commands(rule), "sh"),
            "To set a finding aside with a reason: [settings](../settings.md).",
        ),
    )


def _commands(rule: Rule) -> str:
    return f"irsa-doctor check PATH... --select {rule.id}\nirsa-doctor explain {rule.id}      # this text"


def _illustrated(shown: Illustration) -> str:
    parts = [f"{prose(shown.name)}: {code(shown.where)}", "Wrong:", block(shown.wrong, _language(shown.wrong))]
    if shown.right:
        parts += ["Right:", block(shown.right, _language(shown.right))]
    return "\n\n".join(parts)


def _language(text: str) -> str:
    return "yaml" if text.lstrip().startswith(("{", "[", "-")) or ":" in text else "text"


def _examples(examples: Iterable[Example]) -> Iterator[str]:
    listed = list(examples)
    for example in listed[:_EXAMPLES]:
        yield f"**{prose(example.name)}**"
        yield as_yaml(example.patch) if example.patch else "The healthy world itself."
    if more := len(listed) - _EXAMPLES:
        yield f"{more} more in the file of the rule." if more > 0 else ""


def _controls(rule: Rule) -> str:
    rows = (
        [f"[{literal(frameworks()[name].title)}](../frameworks/{name}.md)", ", ".join(f"{c.id} ({c.relation})" for c in listed)]
        for name, listed in rule.controls.items()
    )
    return table(("framework", "controls"), rows)


def _messages(cause: str) -> str:
    listed = messages_of(cause)
    return titled("Error messages that it explains", bullets(_message_link(message, text) for message, text in listed))


def _message_link(message: Message, text: str) -> str:
    return f"[{error_title(text)}](../errors/{message.id}.md)"


# causes


def _cause_page(cause: Cause) -> Page:
    return page(
        f"causes/{cause.id}.md",
        f"{cause.id}: {literal(cause.title)}",
        "[Rules and causes](../rules.md)"
        + (f" · breaks the link {code(cause.link)} of [`why`](../why.md)" if cause.link else ""),
        prose(cause.why),
        titled("What to do", prose(cause.remedy)),
        titled("How to find out", block(command(cause.settle), "sh") if cause.settle else ""),
        _messages(cause.id),
        references(cause.references),
        titled("On the command line", block(f"irsa-doctor explain {cause.id}      # this text", "sh")),
    )


# frameworks


def _framework_page(framework: Framework, rules: Iterable[Rule]) -> Page:
    listed = list(rules)
    rows = (
        [literal(control), literal(title or ""), _bearing(framework, control, listed)]
        for control, title in framework.controls.items()
    )
    return page(
        f"frameworks/{framework.id}.md",
        literal(framework.title),
        f"[Frameworks](index.md) · version {literal(framework.version)} · {code(framework.id)}",
        "The controls that concern credentials of workloads, and the rules whose findings are evidence for them. A rule "
        "*supports* a control, or is *related* to it. This is evidence, and no opinion on compliance.",
        block(f"irsa-doctor check PATH... --framework {framework.id}", "sh"),
        table(("control", "what it requires", "rules"), rows),
    )


def _bearing(framework: Framework, control: str, rules: Iterable[Rule]) -> str:
    by_relation: dict[str, list[str]] = {"supports": [], "related": []}
    for rule in rules:
        if relation := framework.relation(rule, control):
            by_relation[relation].append(f"[{rule.id}](../rules/{rule.id}.md)")
    return "; ".join(f"*{relation}*: {', '.join(links)}" for relation, links in by_relation.items() if links) or "not covered"


def _frameworks_page(known: Mapping[str, Framework]) -> Page:
    rows = ([f"[{literal(f.title)}]({ident}.md)", literal(f.version), str(len(f.controls))] for ident, f in known.items())
    return page(
        "frameworks/index.md",
        "Frameworks",
        "What the rules say of the controls of a framework: `irsa-doctor check --framework ID`, and [audit](../audit.md).",
        table(("framework", "version", "controls"), rows),
    )
