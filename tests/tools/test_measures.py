import ast

import pytest

from tools import measures
from tools.measures import LIMITS, cause_ids, collisions, function_lengths, identifiers, import_cycles, known_ids, long_files


def trees(**modules):
    return {f"irsa_doctor/{name}.py": ast.parse(text) for name, text in modules.items()}


@pytest.fixture(scope="module")
def house():
    return measures.measured()


@pytest.mark.parametrize("name", list(LIMITS))
def test_every_measure_of_the_house_is_within_its_ceiling(house, name):
    measure = house[name]
    assert measure.value <= LIMITS[name].ceiling, "\n".join(measure.examples[:20])


@pytest.mark.parametrize("name", list(LIMITS))
def test_no_ceiling_is_below_its_goal(name):
    assert LIMITS[name].ceiling >= LIMITS[name].goal


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def a(b, *c, d=1, **e): pass", ["a", "b", "c", "d", "e"]),
        ("def a():\n    b = 1\n    b = 2", ["a", "b"]),
        ("class A:\n    b: int = 0\n    def c(self): self.d = 1", ["A", "b", "c", "d", "self"]),
        ("[b for b in c]\nfor d, e in f: pass\nwith g as h: pass", ["b", "d", "e", "h"]),
        ("import a as b, c\nfrom d import e as f", ["b", "f"]),
        ("try: pass\nexcept E as error: pass\nlambda x: x\n(y := 1)", ["error", "x", "y"]),
        ("match a:\n    case [b, *c]: pass", ["b", "c"]),
        ("a.given\nprint(found)\nf(told=1)", []),
    ],
)
def test_identifiers_are_the_names_that_are_bound_once_a_scope(text, names):
    assert sorted(identifiers(ast.parse(text))) == sorted(names)


def test_a_vague_name_counts_in_every_scope_that_binds_it(tmp_path):
    folder = tmp_path / "irsa_doctor"
    folder.mkdir()
    (folder / "a.py").write_text("def a(given):\n    _found = given\n\n\ndef b(given, subject): ...\n")
    assert measures.measured(folder)["vague identifiers, share in %"].value == pytest.approx(50)


def test_a_function_is_as_long_as_from_its_first_line_to_its_last():
    assert list(function_lengths(trees(a="@wrap\ndef a(\n    b,\n):\n    return b\n\n\nx = 1\n"))) == [
        (4, "irsa_doctor/a.py:2 a")
    ]


def test_a_long_file_needs_a_reason_in_its_first_line(tmp_path):
    folder = tmp_path / "irsa_doctor"
    folder.mkdir()
    (folder / "long.py").write_text("x = 1\n" * 401)
    (folder / "reason.py").write_text("# Long: one table, which is read as a whole\n" + "x = 1\n" * 401)
    (folder / "short.py").write_text("x = 1\n" * 400)
    assert list(long_files(folder)) == ["irsa_doctor/long.py: 401"]


def test_modules_that_import_one_another_are_a_cycle_even_over_a_third():
    modules = trees(
        a="from irsa_doctor import b", b="import irsa_doctor.c", c="from irsa_doctor.a import x", d="import irsa_doctor.a"
    )
    assert import_cycles(modules) == [("irsa_doctor.a", "irsa_doctor.b", "irsa_doctor.c")]
    assert import_cycles(trees(a="def f():\n    import irsa_doctor.b", b="import irsa_doctor.a")) == [
        ("irsa_doctor.a", "irsa_doctor.b")
    ]


def test_a_public_name_that_two_modules_define_is_reported_but_not_what_they_import():
    modules = trees(
        a="class Subject: ...\n_Row = 1\ndef check(): ...",
        b="Subject = 5\n_Row = 2\ndef check(): ...",
        c="from irsa_doctor.a import Subject",
    )
    assert collisions(modules) == {"Subject": ["a", "b"], "check": ["a", "b"]}
    command = {"irsa_doctor/cli/check.py": ast.parse("def check(): ...")}
    assert collisions({**modules, **command}) == {"Subject": ["a", "b"]}


def test_the_id_of_a_rule_or_cause_is_seen_in_any_string_of_the_code():
    modules = trees(a='x = {"open-no-sub": 1}\n# open-no-sub\ny = "about open-no-sub"')
    assert list(cause_ids(modules, known_ids())) == ["irsa_doctor/a.py:1: open-no-sub"]


def test_every_rule_has_a_known_id():
    assert {"open-no-sub", "trust-sub-mismatch"} <= known_ids()
