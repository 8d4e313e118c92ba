"""A page for every issuer and for every JSON Schema."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from irsa_doctor.issuers.profiles import ConditionKey, Profile, SubjectTemplate, profiles
from tools.site.page import Page, as_json, bullets, code, literal, page, prose, table, titled

ROOT = Path(__file__).parent.parent.parent
_MEMBERS = {
    "customers": "every customer of the vendor",
    "tenant": "whom the tenant admits",
    "sign-up": "perhaps anybody who signs up",
}
_CHOOSERS = {"vendor": "the vendor", "tenant-admin": "an administrator of the tenant", "author": "the author of the workload"}
_CUSTOM = {"no": "no", "admin": "yes, by an administrator", "author": "yes, by the author of a workload"}

# issuers


def issuer_pages() -> Iterator[Page]:
    """The page of every issuer, and the list of them."""
    listed = sorted(profiles().values(), key=lambda profile: profile.title.lower())
    yield from (_issuer_page(profile) for profile in listed)
    rows = ([f"[{literal(p.title)}]({p.id}.md)", "<br>".join(code(m.issuer) for m in p.match)] for p in listed)
    yield page(
        "issuers/index.md",
        "Issuers",
        "Who issues tokens that AWS takes, what their subjects look like, and the trust policy to write for each. The same "
        "files decide what `check`, `who-can` and `fix` say about a role that trusts one of them.",
        table(("issuer", "recognised by"), rows),
    )


def _issuer_page(profile: Profile) -> Page:
    return page(
        f"issuers/{profile.id}.md",
        f"Trust policy for {literal(profile.title)}",
        f"[Issuers](index.md) · {code(profile.id)} · [its documentation](<{profile.docs}>)",
        table(("", ""), _summary(profile)),
        titled("The policy to write", as_json(_condition(profile)) if profile.right else "", _HOLES if profile.right else ""),
        titled("Subjects", *_subjects(profile.subject)),
        titled("Condition keys", _keys(profile)),
        titled("Where this is known from", _facts(profile)),
    )


_HOLES = "Replace what is between angle brackets. `sub` and `aud` are written with the issuer before them, as `ISSUER:sub`."


def _summary(profile: Profile) -> Iterator[list[str]]:
    if profile.match:
        yield ["recognised by", "<br>".join(code(match.issuer) for match in profile.match)]
    yield ["tokens are issued to", _MEMBERS[profile.members]]
    yield ["audience", ", ".join(code(word) for word in profile.audience.default) or "none by default"]
    yield ["another audience is chosen by", _CHOOSERS[profile.audience.chosen_by]]
    yield ["the form of subjects can be replaced", _CUSTOM[profile.subject_custom]]
    if profile.save.any_of:
        yield ["IAM saves a policy only with a condition on", " or ".join(code(key) for key in profile.save.any_of)]


def _condition(profile: Profile) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": "<provider>"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            operator: {f"<issuer>:{key}": value for key, value in keys.items()} for operator, keys in profile.right.items()
        },
    }


def _subjects(forms: Iterable[SubjectTemplate]) -> Iterator[str]:
    listed = list(forms)
    yield table(("form", "for example"), ([code(form.form), code(form.example)] for form in listed))
    segments = {name: segment for form in listed for name, segment in form.segments.items()}
    rows = ([code(name), segment.level, segment.kind, segment.chosen_by] for name, segment in segments.items())
    yield table(("part", "narrows down to", "id or name", "chosen by"), rows)


def _keys(profile: Profile) -> str:
    if profile.keys == "any":
        return "Which claims become condition keys is not known, beside `sub` and `aud`."
    rows = ([code(key.key), key.level, _presence(key), key.since] for key in profile.keys)
    return table(("key", "narrows down to", "in tokens", "since"), rows) or "`sub` and `aud` alone."


def _presence(key: ConditionKey) -> str:
    return "always" if key.presence == "always" else "sometimes"


def _facts(profile: Profile) -> str:
    return bullets(f"{prose(fact.says)} ([source](<{fact.url}>), read {fact.read})" for fact in profile.facts)


# schemas


def schema_files() -> dict[str, Path]:
    """The JSON Schemas by the name of their page: of reports and settings, then of rules, causes and messages."""
    shipped = {path.stem: path for path in sorted((ROOT / "irsa_doctor" / "schemas").glob("*.json"))}
    causes = ROOT / "causes"
    ours = {
        "rule": ROOT / "rules" / "schema.json",
        "cause": causes / "schema.json",
        "messages": causes / "symptoms-schema.json",
    }
    return shipped | ours


def schema_pages() -> Iterator[Page]:
    """The page of every schema, and the list of them."""
    schemas = {name: json.loads(path.read_bytes()) for name, path in schema_files().items()}
    yield from (_schema_page(name, schema) for name, schema in schemas.items())
    rows = ([f"[{name}]({name}.md)", literal(schema["title"]), _file(name)] for name, schema in schemas.items())
    yield page(
        "schemas/index.md",
        "JSON Schemas",
        "Of what is written with `-f json`, and of the files that people write. `irsa-doctor schema NAME` prints those of "
        "reports and settings. Fields are added, never renamed or removed, as long as the number after the name is the same.",
        table(("schema", "of", "file"), rows),
    )


def _file(name: str) -> str:
    return f'<a href="{name}.json">{name}.json</a>'


def _schema_page(name: str, schema: Mapping[str, Any]) -> Page:
    parts: dict[str, Any] = {schema["title"]: schema} if schema.get("properties") else {}
    parts |= {part: value for part, value in schema.get("$defs", {}).items() if value.get("properties")}
    return page(
        f"schemas/{name}.md",
        f"JSON Schema: {name}",
        f"[JSON Schemas](index.md) · {code(schema.get('$id', name))} · {_file(name)}",
        prose(schema.get("description", schema["title"])),
        *(titled(literal(part), prose(value.get("description", "")), _properties(value)) for part, value in parts.items()),
    )


def _properties(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = (
        [code(name) + ("" if name in required else " (optional)"), _type(value), prose(_description(value))]
        for name, value in schema["properties"].items()
    )
    return table(("field", "type", "what it is"), rows)


def _description(schema: Any) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _type(schema: Any) -> str:
    """The type of a field in words."""
    if not isinstance(schema, dict):
        return ""
    if "$ref" in schema:
        return code(schema["$ref"].rsplit("/", 1)[-1])
    if "enum" in schema or "const" in schema:
        return ", ".join(code(json.dumps(word)) for word in schema.get("enum", [schema.get("const")]))
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    if choices:
        return " or ".join(dict.fromkeys(filter(None, map(_type, choices))))
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_type(schema.get('items', {})) or 'values'}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
