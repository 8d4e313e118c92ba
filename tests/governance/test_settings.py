# Long: mirrors the settings, a test or more for each
import json
import os
import time
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from irsa_doctor.governance.settings import Settings, SettingsError, Waiver, find_settings, load_settings, read_settings
from irsa_doctor.model.extents import fits

SCHEMA = json.loads((Path(__file__).parent.parent.parent / "irsa_doctor/schemas/settings.json").read_text(encoding="utf-8"))

WHOLE = """\
fail-on = "medium"
min-severity = "low"
min-confidence = "high"
select = ["open-no-sub", "open-aud-only"]
ignore = ["sa-unused"]
rules = ["policies", "/abs"]
complete = ["serviceaccounts"]
account = "012345678901"

[severity]
open-no-sub = "low"

[clusters]
shop = "k8s/shop"

[roles]
"arn:aws:iam::111122223333:role/app" = "trust.json"

[audiences]
"https://oidc.example.com/a" = ["amazonaws.com"]
"oidc.example.com/b" = []

[[waivers]]
rule = "open-no-sub"
subject = "arn:aws:iam::111122223333:role/legacy-*"
owner = "platform@example.com"
reason = "goes with the old cluster"
expires = 2026-12-31

[[waivers]]
rule = "trust-case"
subject = "x"
owner = "o"
reason = "r"
expires = 2027-01-01
"""

WAIVER = 'rule = "r"\nsubject = "s"\nowner = "o"\nreason = "why"\nexpires = 2026-12-31\n'


@pytest.fixture
def write(tmp_path):
    def write(text, name="irsa-doctor.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(path):
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert caught.value.file == str(path)
    return caught.value.line, caught.value.message


# ---------------------------------------------------------------- reading


def test_everything_that_can_be_set_is_read(write):
    path = write(WHOLE)
    folder = str(path.parent)
    assert read_settings(path) == Settings(
        file=str(path),
        fail_on="medium",
        min_severity="low",
        min_confidence="high",
        select=("open-no-sub", "open-aud-only"),
        ignore=("sa-unused",),
        rules=(f"{folder}/policies", "/abs"),
        complete=("serviceaccounts",),
        account="012345678901",
        severity={"open-no-sub": "low"},
        clusters={"shop": f"{folder}/k8s/shop"},
        roles={"arn:aws:iam::111122223333:role/app": f"{folder}/trust.json"},
        audiences={"oidc.example.com/a": ("amazonaws.com",), "oidc.example.com/b": ()},
        waivers=(
            Waiver(
                "open-no-sub",
                "arn:aws:iam::111122223333:role/legacy-*",
                "platform@example.com",
                "goes with the old cluster",
                date(2026, 12, 31),
                str(path),
                23,
            ),
            Waiver("trust-case", "x", "o", "r", date(2027, 1, 1), str(path), 30),
        ),
    )


def test_the_table_of_a_pyproject_is_read_and_nothing_else_of_it(write):
    path = write(
        '[project]\nname = "x"\n[tool.irsa-doctor]\nfail-on = "never"\n\n[[tool.irsa-doctor.waivers]]\n' + WAIVER,
        "pyproject.toml",
    )
    settings = read_settings(path)
    assert settings.fail_on == "never"
    assert settings.waivers[0].line == 6


def test_waivers_written_inline_have_the_line_of_their_list(write):
    text = '\nwaivers = [\n  {rule = "r", subject = "s", owner = "o", reason = "w", expires = 2026-01-01},\n]\n'
    assert read_settings(write(text)).waivers[0].line == 2


def test_a_byte_order_mark_is_no_fault(write):
    assert read_settings(write(b'\xef\xbb\xbffail-on = "low"\n')).fail_on == "low"


def test_an_empty_file_sets_nothing(write):
    path = write("")
    assert read_settings(path) == Settings(file=str(path))


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\nfail_on = 'low'", 2, "fail_on is not a setting; did you mean 'fail-on'?"),
        ("colour = 1", 1, "colour is not a setting"),
        ("a = 1\n[wavers]\nb=1", 1, "a is not a setting"),
        ("fail-on = 3", 1, "fail-on must be one of critical, high, medium, low, never, not a number"),
        ("fail-on = 'hgih'", 1, "fail-on must be one of critical, high, medium, low, never, not 'hgih'; did you mean 'high'?"),
        ("min-severity = 'never'", 1, "min-severity must be one of critical, high, medium, low, not 'never'"),
        ("min-confidence = true", 1, "min-confidence must be one of high, medium, low, not true or false"),
        ("ignore = 'open-no-sub'", 1, "ignore must be a list, as in [\"open-no-sub\"], not text"),
        ("ignore = 2026-01-01", 1, "ignore must be a list, not a date or time"),
        ("ignore = [\n 'a',\n 1]", 1, "ignore[1] must be text in quotes, not a number"),
        ("ignore = ['a', ' ']", 1, "ignore[1] must be text in quotes, not empty text"),
        ("account = 111122223333", 1, "account must be an account id, twelve digits in quotes, not a number"),
        ("account = '1111-2222'", 1, "account must be an account id, twelve digits in quotes, not '1111-2222'"),
        ("severity = 'low'", 1, "severity must be a table, not text"),
        ("[severity]\na = 'low'\nb = 'lo'", 3,
         "severity.b must be one of critical, high, medium, low, not 'lo'; did you mean 'low'?"),
        ("[clusters]\nshop = ['a']", 2, "clusters.shop must be text in quotes, not a list"),
        ("[audiences]\nx = 'sts'", 2, "audiences.x must be a list, as in [\"sts\"], not text"),
        ("[waivers]\nrule = 'a'", 1, "waivers must be a list, not a table"),
        ("waivers = ['a']", 1, "waivers[0] must be a table headed [[waivers]], not text"),
        (f"[[waivers]]\n{WAIVER}[[waivers]]\nrule = 'r'\nsubject='s'\nreason='w'", 7, "waivers[1] lacks owner and expires"),
        (f"[[waivers]]\n{WAIVER}until = 1", 7, "waivers[0].until is not a member of a waiver"),
        (f"[[waivers]]\nrules = 'x'\n{WAIVER}", 2, "waivers[0].rules is not a member of a waiver; did you mean 'rule'?"),
        ("[[waivers]]\n" + WAIVER.replace("2026-12-31", "'2026-12-31'"), 6,
         "waivers[0].expires must be a date without quotes, as in 2026-12-31, not '2026-12-31'"),
        ("[[waivers]]\n" + WAIVER.replace("2026-12-31", "2026-12-31T10:00:00Z"), 6,
         "waivers[0].expires must be a date without quotes, as in 2026-12-31, not a date or time"),
        ("[[waivers]]\n" + WAIVER.replace('"why"', '""'), 5,
         "waivers[0].reason must be text in quotes, not empty text"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_line_and_what_it_must_be(write, text, line, message):
    assert refused(write(text)) == (line, message)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (b"a = 1\nb = '\xff'\n", 2, "is not UTF-8"),
        ("a = " + "[" * 5000, 0, "nested too deeply"),
    ],
)
def test_a_file_that_no_parser_of_toml_takes_is_refused_with_its_line(write, text, line, says):
    found, message = refused(write(text))
    assert found == line
    assert says in message


def test_a_named_pyproject_without_the_table_is_an_error(write):
    assert refused(write("[tool.other]\n", "pyproject.toml")) == (0, "has no [tool.irsa-doctor] table")
    assert refused(write("", "pyproject.toml")) == (0, "has no [tool.irsa-doctor] table")
    assert refused(write("[tool]\nirsa-doctor = 3", "pyproject.toml")) == (2, "must be a table, not a number")


def test_a_named_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read: no such file or folder"):
        load_settings(tmp_path, str(tmp_path / "gone.toml"))


def test_a_folder_a_pipe_and_a_huge_file_are_refused_at_once(tmp_path, write):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == (0, "cannot be read: a named pipe, not a file")
    assert refused(tmp_path) == (0, "cannot be read: it is a folder")
    assert refused(write("#" * (1 << 20) + "\n#", "big.toml"))[1].startswith("is larger than 1 MiB")


def test_the_error_reads_as_one_line():
    assert str(SettingsError("a.toml", 3, "is wrong")) == "a.toml:3: is wrong"
    assert str(SettingsError("a.toml", 0, "is wrong")) == "a.toml: is wrong"


# ---------------------------------------------------------------- finding the file


def test_no_file_means_nothing_is_set(tmp_path):
    (tmp_path / ".git").mkdir()
    assert load_settings(tmp_path) == Settings()


def test_the_nearest_file_upward_is_found(tmp_path, write):
    outer = write("", "irsa-doctor.toml")
    inner = write("", "a/irsa-doctor.toml")
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "d").mkdir()
    assert find_settings(tmp_path / "a/b/c") == str(inner)
    assert find_settings(tmp_path / "d") == str(outer)


def test_the_search_ends_at_the_root_of_the_repository(tmp_path, write):
    write("fail-on = 'low'")
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/src").mkdir()
    assert find_settings(tmp_path / "repo/src") is None
    own = write("", "repo/irsa-doctor.toml")
    assert find_settings(tmp_path / "repo/src") == str(own)


def test_the_search_ends_at_the_top():
    assert find_settings("/") is None


def test_our_own_file_goes_before_the_shared_one_beside_it(tmp_path, write):
    (tmp_path / ".git").mkdir()
    shared = write("[tool.irsa-doctor]\n", "pyproject.toml")
    assert find_settings(tmp_path) == str(shared)
    own = write("")
    assert find_settings(tmp_path) == str(own)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[project]\nname = 'x'", False),
        ("[project]\nname = 'irsa-doctor'", False),
        ("tool = 'irsa-doctor'", False),
        ("broken", False),
        ("[project]\nname = 'irsa-doctor'\nbroken", False),
        (b"\xff irsa-doctor", False),
        ("[tool.irsa-doctor]\nbroken", True),
        ("[tool]\nirsa-doctor = {fail-on = 'low'}", True),
    ],
)
def test_a_pyproject_counts_only_where_it_speaks_of_us(tmp_path, write, text, found):
    (tmp_path / ".git").mkdir()
    write(text, "pyproject.toml")
    assert (find_settings(tmp_path) is not None) == found


def test_a_found_file_is_named_as_seen_from_the_current_folder(tmp_path, write, monkeypatch):
    write("rules = ['mine']")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(".")
    assert (settings.file, settings.rules) == ("irsa-doctor.toml", ("mine",))


def test_a_file_above_the_current_folder_is_named_in_full(tmp_path, write, monkeypatch):
    path = write("rules = ['mine']")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert load_settings(".").rules == (f"{path.parent}/mine",)


# ---------------------------------------------------------------- waivers


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("role/app", "role/app", True),
        ("role/app", "role/app#0", False),
        ("role/App", "role/app", False),
        ("role/app*", "role/app", True),
        ("role/app*", "role/app#0", True),
        ("*", "", True),
        ("*", "anything", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*b*b*", "b", False),
        ("a?c", "abc", False),
        ("a[b]c", "abc", False),
        ("**x**", "x", True),
    ],
)
def test_only_a_star_stands_for_something_else(pattern, text, answer):
    assert fits(pattern, text) is answer


def test_many_stars_do_not_hang():
    start = time.process_time()
    assert not fits("*a" * 5000 + "b", "a" * 20000)
    assert time.process_time() - start < 5


def test_a_waiver_speaks_of_one_rule_and_the_subjects_that_fit():
    waiver = Waiver("open-no-sub", "arn:*:role/app#*", "o", "r", date(2026, 12, 31))
    assert waiver.matches("open-no-sub", "arn:aws:iam::111122223333:role/app#0")
    assert not waiver.matches("open-aud-only", "arn:aws:iam::111122223333:role/app#0")
    assert not waiver.matches("open-no-sub", "arn:aws:iam::111122223333:role/other#0")


def test_a_waiver_is_named_without_its_line():
    assert Waiver("trust-case", "x*", "o", "r", date(2026, 12, 31), "irsa-doctor.toml", 9).id == "trust-case:x*"


def test_a_waiver_holds_through_its_last_day():
    waiver = Waiver("r", "s", "o", "r", date(2026, 12, 31))
    assert not waiver.is_expired(date(2026, 12, 31))
    assert waiver.is_expired(date(2027, 1, 1))


# ---------------------------------------------------------------- the schema says the same


def accepted_by_schema(value):
    plain = json.loads(json.dumps(value, default=lambda day: day.isoformat()))
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(plain)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (WHOLE, True),
        ("", True),
        ("severity = {}\nwaivers = []\nselect = []", True),
        ("[audiences]\nx = []", True),
        ("fail-on = 'never'", True),
        ("min-severity = 'never'", False),
        ("colour = 1", False),
        ("account = '12'", False),
        ("account = '012345678901'", True),
        ("ignore = 'a'", False),
        ("ignore = ['']", False),
        ("ignore = [1]", False),
        ("[severity]\na = 'none'", False),
        ("[clusters]\na = 1", False),
        ("[roles]\na = ' '", False),
        ("[audiences]\na = 'b'", False),
        ("[[waivers]]\n" + WAIVER, True),
        ("[[waivers]]\nrule = 'r'", False),
        ("[[waivers]]\n" + WAIVER + "more = 1", False),
        ("[waivers]\n" + WAIVER, False),
        ("[[waivers]]\n" + WAIVER.replace('"s"', "3"), False),
    ],
)
def test_the_schema_and_the_reader_agree(write, text, right):
    import tomllib

    try:
        read_settings(write(text))
        read = True
    except SettingsError:
        read = False
    assert (read, accepted_by_schema(tomllib.loads(text))) == (right, right)


def test_the_schema_is_one_and_knows_every_field():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    fields = {name.replace("_", "-") for name in Settings.__struct_fields__} - {
        "file",
        "framework",
        "folder",
        "all-folders",
        "but-tracked",
        "azure-apps",
        "iam-policies",
        "named",
    }
    assert set(SCHEMA["properties"]) == fields
    waiver = SCHEMA["properties"]["waivers"]["items"]
    members = {name.replace("_", "-") for name in Waiver.__struct_fields__} - {"file", "line"}
    assert set(waiver["properties"]) == set(waiver["required"]) | {"severity", "accepted-by"} == members


def test_a_waiver_may_have_to_say_who_accepted_the_risk(write):
    text = f"require-accepted-by = true\n[[waivers]]\n{WAIVER}"
    with pytest.raises(SettingsError, match="lacks accepted-by"):
        read_settings(write(text))
    assert read_settings(write(text + '\naccepted-by = "head of platform"\n')).waivers[0].accepted_by == "head of platform"


def test_patterns_that_are_excluded_are_relative_to_the_folder_of_the_file(write):
    path = write('exclude = ["examples/"]')
    settings = read_settings(path)
    assert (settings.exclude, settings.folder) == (("examples/",), str(path.parent))
