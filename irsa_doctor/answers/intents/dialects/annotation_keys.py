"""Expressions of CEL that tell keys which were meant to be that of the role annotation, as `check` tells them."""

from irsa_doctor.model.annotations import ROLE_ARN

_PREFIX, _, _NAME = ROLE_ARN.partition("/")
_ANY = "[^/]"


def near_keys(key: str) -> str:
    """An expression that is true of a variable that holds a nearly right key, for the syntax of RE2.

    The cost of `matches` grows with its pattern (https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints), so
    the patterns share what they can.
    """
    exact, slash_moved = _plain(_PREFIX), f"{_plain(_PREFIX[:-1])}/{_PREFIX[-1]}{_plain(_NAME)}"
    name = f"({_one_letter_off(_NAME)}|{_letters('role')}|{_letters('iamrole')}|{_ANY}*{_letters('rolearn')})"
    patterns = (
        f"{_one_letter_off(_PREFIX)}/{name}",
        f"({_ANY}*amazon{_ANY}*|({_ANY}*[.])?aws[.]{_ANY}*)/{_ANY}*{_letters('rolearn')}",
        f"({_letters('eksamazonawscom')})?{_letters('rolearn')}|{exact}{_ANY}?{_plain(_NAME)}",
        f"{slash_moved}|{exact}{_NAME[0]}/{_plain(_NAME[1:])}|iam[.]amazonaws[.]com/role",
    )
    return " || ".join(f"{key}.matches('(?i)^({pattern})$')" for pattern in patterns)


def _plain(text: str) -> str:
    return text.replace(".", "[.]")


def _letters(word: str) -> str:
    """Letters with anything between that is no letter."""
    between = "[^a-z/]*"
    return between + between.join(word) + between


def _one_letter_off(word: str) -> str:
    """A word itself, and what has a letter more, less, another, or two swapped; halved, for the pattern to stay short."""
    if len(word) == 1:
        return f"({_ANY}?|{_ANY}{_plain(word)}|{_plain(word)}{_ANY})"
    left, right = word[: len(word) // 2], word[len(word) // 2 :]
    swapped = left[:-1] + right[0] + left[-1] + right[1:]
    halves = (f"{_one_letter_off(left)}{_plain(right)}", f"{_plain(left)}{_one_letter_off(right)}", _plain(swapped))
    return f"({'|'.join(halves)})"
