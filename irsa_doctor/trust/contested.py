"""Points on which the documentation of AWS is silent or contradicts itself, by the ids in answers."""

from collections.abc import Mapping

POINTS: Mapping[str, str] = {
    "C8": "how an operator for one value compares a key that has several",
    "C9": "how ForAllValues treats an empty value",
    "C11": "what an empty list of values means",
    "K2": "whether one key in two spellings counts once or twice",
    "P5": 'whether "AWS": "*" admits web identities too',
    "S4": "how a negated operator for ARNs, numbers, dates or addresses treats a value of another type",
}
