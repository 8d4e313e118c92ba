"""The tags of a role in an intent file."""

import unicodedata

from irsa_doctor.sources.intents.written import WrittenPart

_LONGEST_TAG_KEY, _LONGEST_TAG, _MOST_TAGS = 128, 256, 50
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules"""


def tags_of(options: WrittenPart) -> dict[str, str]:
    """The tags of a role, as IAM takes them."""
    if not options.has("tags"):
        return {}
    members = list(options.at("tags").mapping("tags").members())
    if len(members) > _MOST_TAGS:
        options.wrong_name(f"{len(members)} tags are too many: IAM takes {_MOST_TAGS} of a role")
    known: set[str] = set()
    for member in members:
        if member.name.lower() in known:
            member.wrong_name(f"tag {member.name} is there already: to IAM the case of a key makes no difference")
        known.add(member.name.lower())
    return {_tag_key(member): _tag(member) for member in members}


def _tag_key(part: WrittenPart) -> str:
    """The key of a tag, as IAM takes it (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html)."""
    if not 0 < len(part.name) <= _LONGEST_TAG_KEY or not all(map(_is_of_tag, part.name)):
        part.wrong_name(
            f"{part.name} is no key of a tag: letters, digits, spaces and _ . : / = + - @, {_LONGEST_TAG_KEY} at most"
        )
    if part.name.lower().startswith("aws:"):
        part.wrong_name(f"{part.name} is no key of a tag: those that begin with aws: are for AWS alone")
    return part.name


def _tag(part: WrittenPart) -> str:
    """The value of a tag, which may be empty."""
    if not isinstance(part.value, str):
        part.text(f"tag {part.name}")
    value = str(part.value)
    if len(value) > _LONGEST_TAG or not all(map(_is_of_tag, value)):
        part.wrong(
            f"tag {part.name} has a value that IAM refuses: letters, digits, spaces and _ . : / = + - @, {_LONGEST_TAG} at most"
        )
    return value


def _is_of_tag(char: str) -> bool:
    r"""Whether a tag may have a character: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`."""
    return char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN"
