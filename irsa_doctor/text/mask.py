"""The one mask: what looks like a token, a key or a password leaves the program only as `***`.

Forms of credentials: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids,
RFC 7515 and 7516 (tokens), RFC 7468 (keys), RFC 6750 and 7617 (Authorization), RFC 6265 (cookies), the prefixes that vendors
document for https://docs.github.com/code-security/secret-scanning, and the bootstrap tokens of
https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/.
"""

import re

from irsa_doctor.model.regex import regex

_STARS = "***"

_TOKEN = r"eyJ[\w-]{6,}(?:\.[\w-]*){1,4}"
"""header and claims of a token are JSON, and so begin with `eyJ`"""
_CLUSTER_TOKEN = r"k8s-aws-v1\.[\w-]+"
_KEY_ID = r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{12,}"
_VENDORS = (
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|gl[a-z]{2,6}-[\w.-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-AgE[\w-]{16,}"
    r"|xox[a-z](?:-[\w.-]{4,})+|xapp-[\w-]{16,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"
    r"|hv[sbr]\.[\w-]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|sk-[\w-]{20,}|hf_[A-Za-z0-9]{30,})"
)
_OTHER_VENDORS = (
    r"(?<![A-Za-z0-9])(?:[\w.~-]{3}\dQ~[\w.~-]{31,34}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}|hooks\.slack\.com/services/[\w/-]{20,}"
    r"|dckr_pat_[\w-]{20,}|[A-Za-z0-9]{10,}\.atlasv1\.[\w-]{20,}|bk[a-z]{2}_[A-Za-z0-9]{30,}|CCIP[A-Z]{2}_\w{30,}"
    r"|AT[A-Z]{2}T3[\w=-]{40,}|dapi[0-9a-f]{32}|do[a-z]_v1_[0-9a-f]{40,}|dp\.[a-z]{2,8}\.[A-Za-z0-9]{30,}|gl(?:sa|c)_[\w+/=]{30,}"
    r"|pul-[0-9a-f]{40}|SG\.[\w-]{16,}\.[\w-]{30,}|shp[a-z]{2}_[0-9A-Fa-f]{32}|tskey-[\w-]{20,}|lin_api_[A-Za-z0-9]{30,}"
    r"|(?:PMAK|NRAK|HRKU)-[\w-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{50,}|sntry[a-z]_[\w+/=-]{30,}|rubygems_[0-9a-f]{40,}|figd_[\w-]{20,}"
    r"|u\+[\w-]{18}(?![\w-]))"
)
"""of clouds, CI systems and services beside them"""
_PRIVATE_KEY = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:[^\"'<]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|[^\"'<]*)"
_EVENT = r"1[5-9a-d][0-9a-f]{14}(?![a-z0-9])"
"""the nanoseconds in hexadecimal, of 2018 to 2038, that client-go writes behind the name of an object in that of its event:
https://github.com/kubernetes/client-go/blob/master/tools/record/event.go"""
_BOOTSTRAP = rf"(?<![\w.-])[a-z0-9]{{6}}\.(?![a-z]+[0-9]*(?![a-z0-9])|[0-9]{{16}}|{_EVENT})[a-z0-9]{{16}}(?![\w-]|\.\w)"
"""an id and a secret of any letters and digits: a word, or one with a number at its end, is a name"""
_WHOLE = regex(
    "|".join((_TOKEN, _CLUSTER_TOKEN, _KEY_ID, _PRIVATE_KEY, _BOOTSTRAP, f"(?P<vendor>{_VENDORS}|{_OTHER_VENDORS})"))
)
_IN_NAME = regex(r"(?:^|[^\w/])(?:(?:assumed-)?role|instance-profile|user|group|policy)/[\w+=,.@/-]*$")
"""what stands before a part of the name of a role: the prefix of a vendor in it means nothing"""
_LONGEST_NAME = 600
_DRAWN = regex(r"(?<![A-Za-z0-9])(?=[A-Z\d]*[a-z])(?=[a-z\d]*[A-Z])(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}")
"""a word of letters of both cases and digits, as in what is drawn at random: no name, wherever it stands"""

_PERMISSION = r"(?!(?<=id-token)\s*:\s*(?:write|none)(?![\w-]))"
"""a workflow of GitHub may or may not request a token: https://docs.github.com/actions/reference/security/oidc"""
_NAME = (
    r"(?:[\w.-]{0,60}?(?:passw(?:or)?d|passwd|pwd|secret(?![_-]?(?:name|ref|s?[_-]?manager|s?[_-]?store))[\w-]{0,40}"
    rf"|(?:session|security|access|refresh|id|auth|api|identity|bearer|bot|client)[_-]?token(?![_-]?file){_PERMISSION}|api[_-]?key"
    r"|client-key-data|private_?key|account_?key|shared_?access_?key)|authorization|sig)"
)
_SEPARATOR = r"[\"']?\s*[:=]\s*(?:(?:bearer|basic|token)\s+)?[\"']?"
_NAMED = regex(rf"(?i)((?<![\w.-]){_NAME}{_SEPARATOR})([^\s\"',;&<>}}\\]{{4,}})")
_WORDS = (
    *("passw", "pwd", "secret", "apikey", "api_key", "api-key", "client-key-data", "privatekey", "private_key"),
    *("accountkey", "account_key", "accesskey", "access_key"),
    "authorization",
)
_OF_TOKENS = tuple(
    f"{word}{between}"
    for word in ("session", "security", "access", "refresh", "id", "auth", "api", "identity", "bearer", "bot", "client")
    for between in ("", "_", "-")
)
_SIGNATURE = regex(r"sig[\"']?\s*[:=]")
"""a word, the end of what stands before `token`, or a signature stands in whatever _NAMED finds, which takes long to find
nothing"""
_OF_TOKEN = regex(
    r"(?i)(token(?:[\"']?\s*[:=]\s*|(?<=-token)\s+)[\"']?)"
    r"((?=[\w.+/=~-]{0,400}\d)[\w.+/=~-]{16,}|[a-z0-9]{6}\.[a-z0-9]{16}(?![\w-]|\.\w))"
)
"""behind a name that ends with `token`, whatever it opens, a long word with a digit, or the form of a bootstrap token"""
_PAIR = regex(
    rf"(?i)(\b(?:key|name)[\"']?\s*[:=]\s*[\"']?(?:{_NAME}|[\w.-]{{0,60}}(?:token(?![_-]?file)|credential)[\w.-]{{0,60}})"
    r"[\"']?\s*,\s*[\"']?value[\"']?\s*[:=]\s*[\"']?)([^\s\"',;&}]+)"
)
"""a name that means a secret, with the value after it; and the same as a pair, a tag or an environment variable"""
_QUOTE = r"\\?[\"']"
_COOKIES = regex(
    rf"(?i)(\b(?:set-)?cookie(?:(?:{_QUOTE})?\s*[:=]|\s)\s*[\[({{]?\s*(?:{_QUOTE})?)((?:(?<==){_QUOTE}[^\n\"']*[\"']|[^\n\"'])+)"
)
_COOKIE = regex(
    rf"(?i)((?:^|[;,\s])(?!(?:path|domain|expires|max-age|samesite)=)[^\s=;,]{{1,80}}=(?:{_QUOTE})?)([^\s;,\"'\\]{{4,}})"
)
_COOKIES_BY_NAME = regex(rf"(?i)(\bcookies?(?:{_QUOTE})?\s*[:=]\s*)(\{{[^{{}}\n]{{1,4000}}\}})")
_COOKIE_BY_NAME = regex(
    r"(?i)((?<![\w.-])(?!(?:name|path|domain|expires|max-?age|samesite)[\\\"'\s:])"
    rf"[\w.-]{{1,80}}(?:{_QUOTE})?\s*:\s*{_QUOTE})"
    r"([^\s\"'\\]{4,})"
)
_SESSION_COOKIE = regex(r"(?i)(\b(?:[a-z]{1,10}sessid|[\w.]{0,20}?sessionid|connect\.sid)=)([^\s;,&\"'<>]{12,})")
_SESSION = regex(r"(?i)((?<![\w.-])[\w.-]{0,40}_session=)([^\s;,&\"'<>]{12,})")
"""the header with all of its cookies, the same as an object, and a cookie that holds a session, by the names that frameworks
give it; the last of them may be a name of anything"""
_ID = regex(r"(?:(?=[a-z]*[0-9])(?=[0-9]*[a-z])[0-9a-z]{24,}|[0-9a-f-]{32,})(?![\w-])")
_KEY_OF_32 = regex(r"(?i)(\b(?:routing|integration|service)[_-]?key[\"']?\s*[:=]\s*[\"']?)([0-9a-z]{32})(?![\w-])")
"""PagerDuty: a shorter one, or one with other characters, routes a message"""
_AUTHORIZATION = regex(r"(?i)(\b(?:bearer|basic)\s+)([\w.~+/=-]{16,}|(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,})")
_IN_URL = regex(r"(:/{1,2}[^\s/@:\"'<>]{0,200}:)([^\s/@\"'<>]{1,1000})(?=@)")
# forty characters of base64: a secret access key; a hundred and more: a session token; between them keys of others
_BLOB = regex(r"(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/]{40,99}={0,2}|[A-Za-z0-9+/=_-]{100,})(?![A-Za-z0-9+/=_-])")

_Groups = tuple[tuple[str, tuple[str, ...]], ...]
_CASED: _Groups = (("J", ("eyJ",)), ("K", ("AKIA", "PRIVATE KEY-----")), ("ASIA", ("ASIA",)), ("z", ("AIza",)))
_SIGNS: _Groups = (
    ("ke", ("token", "apikey", "-key", "privatekey", "_key", "accountkey", "accesskey", "tskey-")),
    ("key", ("routingkey", "integrationkey", "servicekey")),
    ("cre", ("secret", "credential")),
    ("z", ("authorization",)),
    ("sig", ("sig=", "sig:", "sig'", 'sig"', "sig ")),
    ("oki", ("cookie",)),
    ("sess", ("sessid=", "sessionid=", "_session=")),
    (".sid", ("connect.sid=",)),
    ("u+", ("u+",)),
    ("x", ("xox", "xapp-", "gocspx-")),
    ("_", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "npm_", "k_live_", "k_test_", "whsec_", "hf_")),
    ("_", ("dckr_pat_", "_v1_", "lin_api_", "rubygems_", "figd_", "glsa_", "glc_")),
    *((first, (first,)) for first in ("ccip", "atlasv1.", "sntry", "shp", "bk", "dapi", "dp.", "pul-", "sg.", "q~", "1//0")),
    *((first, (first,)) for first in ("hooks.slack.com/", "t3", "pmak-", "nrak-", "hrku-")),
    ("gl", ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glimt-", "glsoat-", "glagent-")),
    ("hv", ("hvs.", "hvb.", "hvr.")),
    (":/", ("@",)),
    *((sign, (sign,)) for sign in ("passw", "pwd", "bearer", "basic ", "sk-", "pypi-age", "k8s-aws-v1.", "ya29.")),
)
"""in every secret but a long one of mixed characters stands one of these, in lower case those of _SIGNS; each group behind what
all of it has, so that a text without that is not searched for the group, and a single letter is found fastest"""
_RUN = bytes(49 if (chr(code).isalnum() and code < 128) or chr(code) in "+/=_-" else 48 for code in range(256))
_LONG = b"1" * 40
_SMALL = bytes(49 if chr(code).islower() or chr(code).isdecimal() else code for code in range(128)) + bytes(b"0" * 128)
_DOTTED = b"1" * 6 + b"." + b"1" * 16


_REMEMBERED = 32_768
"""characters of a text whose lines are remembered"""
_MOST_LINES = 4_096
_plain_lines: set[str] = set()
"""lines that hold nothing to hide: the policies of many roles have most of their lines in common"""


def needs_no_mask(text: str) -> bool:
    """Whether `masked` surely changes neither the text nor any part of one of its lines: nearly every text is plain.

    No sign goes over the end of a line, nor does a word, so that each line is looked at once; lines that are not remembered are
    looked at together.
    """
    if len(text) > _REMEMBERED:
        return looks_plain(text)
    unseen = set(text.split("\n")) - _plain_lines
    if unseen:
        if not looks_plain("\n".join(unseen)):
            return False
        if len(_plain_lines) > _MOST_LINES:
            _plain_lines.clear()
        _plain_lines.update(unseen)
    return True


def looks_plain(text: str) -> bool:
    """What `needs_no_mask` says, of a text that does not come again: none of its lines is remembered."""
    return not _has_sign(text) and _without_blobs(text) == text


def _has_sign(text: str) -> bool:
    """Whether a text has to be looked at closely."""
    for first, signs in _CASED:
        if first in text:
            for sign in signs:
                if sign in text:
                    return True
    low = text.lower()
    for first, signs in _SIGNS:
        if first in low:
            for sign in signs:
                if sign in low:
                    return True
    return "." in text and len(text) >= len(_DOTTED) and _DOTTED in text.encode(errors="replace").translate(_SMALL)


def masked(text: str) -> str:
    """Return the text with `***` for whatever looks like a token, a key or a password.

    A text that is nothing but one secret becomes `***` and a range of its length, so that what is said of it still makes sense.
    """
    if len(text) < _SHORTEST or needs_no_mask(text):
        return text
    shown = _without_blobs(_without_signed(text) if _has_sign(text) else text)
    if shown == text:
        return text
    return f"{_STARS}({_range(len(text.strip()))})" if shown.strip() == _STARS else shown


_SHORTEST = 8


def _without_blobs(text: str) -> str:
    """The text without long words of mixed characters."""
    if not _has_long_word(text):
        return text
    return "\n".join(_BLOB.sub(_unless_plain, line) if _has_long_word(line) else line for line in text.split("\n"))


def _has_long_word(text: str) -> bool:
    return len(text) >= len(_LONG) and _LONG in text.encode(errors="replace").translate(_RUN)


def _without_signed(text: str) -> str:
    """The text without the secrets that one of the signs gives away; each costly expression only where it may match."""
    folded = text.casefold()
    shown = _WHOLE.sub(_unless_name, text)
    if "@" in text:
        shown = _IN_URL.sub(_behind, shown)
    if "bearer" in folded or "bas" in folded:
        shown = _AUTHORIZATION.sub(_behind, shown)
    if ":" in shown or "=" in shown:
        shown = _without_cookies(shown, folded)
        shown = _KEY_OF_32.sub(_behind, shown) if "key" in folded else shown
        shown = _PAIR.sub(_behind, shown) if "value" in folded else shown
        shown = _NAMED.sub(_behind_name, shown) if _may_name_secret(folded) else shown
    return _OF_TOKEN.sub(_behind_name, shown) if "token" in folded else shown


def _unless_name(match: re.Match[str]) -> str:
    """Stars, unless the prefix of a vendor stands in the name of a role, a user or a policy."""
    if not match["vendor"] or _DRAWN.search(match["vendor"]):
        return _STARS
    is_name = _IN_NAME.search(match.string, max(match.start() - _LONGEST_NAME, 0), match.start())
    return match[0] if is_name else _STARS


def _without_cookies(text: str, folded: str) -> str:
    if "cookie" in folded:
        text = _COOKIES.sub(lambda header: header[1] + _COOKIE.sub(_behind, header[2]), text)
        text = _COOKIES_BY_NAME.sub(lambda cookies: cookies[1] + _COOKIE_BY_NAME.sub(_behind, cookies[2]), text)
    if "sess" in folded or ".sid" in folded:
        text = _SESSION.sub(_behind_drawn, _SESSION_COOKIE.sub(_behind, text))
    return text


def _may_name_secret(folded: str) -> bool:
    """Whether _NAMED may match a text, in lower case: `token` only behind the word that says what it opens."""
    if not folded.isascii():
        return any(word in folded for word in (*_WORDS, "token", "sig"))
    if any(word in folded for word in _WORDS) or ("sig" in folded and _SIGNATURE.search(folded)):
        return True
    return any(part.endswith(_OF_TOKENS) for part in folded.split("token")[:-1])


def _behind(match: re.Match[str]) -> str:
    return match[1] + _STARS


def _behind_drawn(match: re.Match[str]) -> str:
    return _behind(match) if _DRAWN.search(match[2]) or _ID.match(match[2]) else match[0]


def _behind_name(match: re.Match[str]) -> str:
    """A name that means a secret is followed by one, unless that is a name itself: an ARN, a variable, a path."""
    value = match[2]
    is_name = value.startswith(("arn:", "$", "/", "{", "<", _STARS)) or value.lower() in _NO_SECRETS or _ADDRESS.match(value)
    is_word = _WORD.fullmatch(value) is not None and not _VALUE_NAME.search(match[1])
    is_name = is_name or (_NAME_OF_OBJECT.fullmatch(value) and not _PASSWORD.search(match[1]))
    return match[0] if is_name or is_word else match[1] + _STARS


_ADDRESS = regex(r"[\w-]+(?:\.[\w-]+)+/")
"""a host with a path, as an issuer is"""
_NAME_OF_OBJECT = regex(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){2,8}(?:com|net|org|io|dev|edu|gov|cloud|app|internal|local|svc|cn|uk|de|eu|us)"
    r"|[a-z0-9][a-z0-9-]{0,200}-token-[a-z0-9]{5}"
)
"""a host, and a Secret that Kubernetes has named"""
_PASSWORD = regex("(?i)passw|pwd")
_WORD, _VALUE_NAME = regex("[a-z.-]+"), regex("(?i)passw|pwd|token|key|auth|sig")
"""the name of an object of Kubernetes, which the value behind `secret` may be"""


_NO_SECRETS = frozenset({"true", "false", "null", "none", "yes", "no", "unknown", "string"})


def _unless_plain(match: re.Match[str]) -> str:
    return _STARS if _is_mixed(match[0]) else match[0]


def _is_mixed(word: str) -> bool:
    """Whether upper case, lower case and digits are mixed as in a key; a path is not, nor a number in hexadecimal in one."""
    if _BASE32.fullmatch(word):
        return len(_CHANGE.findall(word)) >= _FEWEST_CHANGES
    rest = _NUMBER.sub("", word)
    if len(rest) < min(len(word), _SECRET_KEY) or word.islower() or word.isupper() or not _DIGIT.search(word):
        return False
    # of base64 one character in 64 is a slash
    if word.startswith(_OBJECTS) or word.count("/") * 12 > len(word):
        return False
    # of characters drawn at random six of ten differ in kind from the one before, of words one or two
    length = sum(map(str.isalnum, word))
    least = length // 4 if len(word) == _SECRET_KEY else length // 2
    return len(_CHANGE.findall(word)) >= least


_OBJECTS = ("role/", "assumed-role/", "user/", "group/", "policy/", "instance-profile/", "cluster/", "podidentityassociation/")
"""how the last part of an ARN begins"""
_BASE32 = regex("[a-z2-7]{52,}")
"""a personal access token of Azure DevOps, https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"""
_FEWEST_CHANGES = 4
"""between letters and digits: of 52 characters drawn at random there are fifteen"""
_NUMBER = regex("(?<![^/])(?:[0-9A-F]{16,}|[0-9a-f]{16,})(?![^/])")
"""a whole step of a path, as the id of an issuer is"""
_DIGIT = regex("[0-9]")
_CHANGE = regex("[a-z][/+=_-]*(?=[A-Z0-9])|[A-Z][/+=_-]*(?=[a-z0-9])|[0-9][/+=_-]*(?=[A-Za-z])")
_SECRET_KEY = 40
"""characters of a secret access key"""


_RANGES = ((15, "up to 15"), (31, "16 to 31"), (63, "32 to 63"), (255, "64 to 255"))


def _range(length: int) -> str:
    name = next((name for most, name in _RANGES if length <= most), "256 or more")
    return f"{name} characters"


def excerpt(text: str, longest: int = 240) -> str:
    """Return the text in one line of at most `longest` characters, with secrets masked."""
    line = " ".join(masked(text).split())
    return line if len(line) <= longest else line[: longest - 4].rstrip() + " ..."
