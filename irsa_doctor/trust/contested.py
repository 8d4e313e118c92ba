"""Points on which AWS's documentation and what was recorded are silent or contradict themselves, by the ids in answers."""

from collections.abc import Mapping

POINTS: Mapping[str, str] = {
    "C11": "what an empty list of values means",
    "G1": "whether IAM takes an effect that is written in another case than Allow and Deny",
    "K2": "whether one key in two spellings counts once or twice",
    "P5": 'whether a Deny for "AWS": "*" applies to web identities too',
}
