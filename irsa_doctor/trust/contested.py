"""Points on which AWS's documentation is silent or contradicts itself, by the short names that answers carry."""

from collections.abc import Mapping

POINTS: Mapping[str, str] = {
    "C8": "how an operator for one value compares a key that has several",
    "C9": "what ForAllValues makes of an empty value",
    "C11": "what an empty list of values means",
    "K2": "whether one key in two spellings counts once or twice",
    "P5": 'whether "AWS": "*" lets in web identities too',
    "S4": "what a negated operator for ARNs, numbers, dates or addresses makes of a value that is none",
}
