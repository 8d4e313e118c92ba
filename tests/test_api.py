import inspect
import re
import subprocess
import sys
from typing import Any, get_args, get_type_hints

import pytest

import irsa_doctor
from irsa_doctor import api

EXPORTED = {name: getattr(api, name) for name in api.__all__}
FUNCTIONS = {name: value for name, value in EXPORTED.items() if inspect.isfunction(value)}
EXCEPTIONS = {name for name, value in EXPORTED.items() if isinstance(value, type) and issubclass(value, Exception)}
RAISES = re.compile(r"\bRaises ([^.]*?)(?: where [^.]*)?\.")


def types_in(annotation: Any, seen: set[type]) -> None:
    """Every class of ours that an annotation names, and those of their public fields."""
    for part in get_args(annotation):
        types_in(part, seen)
    if isinstance(annotation, type) and annotation.__module__.startswith("irsa_doctor.") and annotation not in seen:
        seen.add(annotation)
        for name, field in get_type_hints(annotation, localns=EXPORTED).items():
            if not name.startswith("_"):
                types_in(field, seen)


def test_what_the_package_offers_is_what_the_api_offers():
    offered = [name for name in irsa_doctor.__all__ if name != "__version__"]
    assert set(offered) <= set(api.__all__)
    assert all(getattr(irsa_doctor, name) is getattr(api, name) for name in offered)


def test_what_is_not_there_is_an_attribute_error():
    assert not hasattr(irsa_doctor, "fix_everything")
    assert not hasattr(api, "fix_everything")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_record_that_a_function_takes_or_returns_is_exported(name):
    hints = get_type_hints(FUNCTIONS[name], localns=EXPORTED)
    assert "return" in hints
    seen: set[type] = set()
    for annotation in hints.values():
        types_in(annotation, seen)
    assert {kind.__name__ for kind in seen if EXPORTED.get(kind.__name__) is not kind} == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_exception_that_a_function_documents_is_exported(name):
    documented = {word for names in RAISES.findall(FUNCTIONS[name].__doc__) for word in re.findall(r"\b[A-Z]\w+", names)}
    assert documented - {"OSError"} <= EXCEPTIONS


def test_all_exceptions_have_one_base():
    assert len(EXCEPTIONS) > 15
    assert all(issubclass(EXPORTED[name], irsa_doctor.IrsaDoctorError) for name in EXCEPTIONS)


@pytest.mark.parametrize("name", sorted(EXCEPTIONS - {"IrsaDoctorError"}))
def test_every_exported_exception_is_documented_by_a_function(name):
    assert any(re.search(rf"\bRaises\b[^.]*\b{name}\b", " ".join((f.__doc__ or "").split())) for f in FUNCTIONS.values())


PROGRAM = """
import irsa_doctor

try:
    diagnosis = irsa_doctor.why("app/web", ["."])
    reveal_type(diagnosis)
    reveal_type(irsa_doctor.check(["."]).findings[0].message)
    reveal_type(irsa_doctor.who_can("app", ["."]).grants[0].subjects.patterns)
    reveal_type(irsa_doctor.diff(["old"], ["new"])[0].opens)
    reveal_type(irsa_doctor.load(["."]).inventory.roles[0].arn)
    reveal_type(irsa_doctor.simulate(b"{}", issuer="i", account="a", sub="s").decision)
except irsa_doctor.IrsaDoctorError as error:
    print(error)
irsa_doctor.why(target=1)
"""


def test_a_program_of_somebody_else_sees_real_types(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    call = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", "program.py"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    revealed = re.findall(r'Revealed type is "([^"]*)"', done.stdout)
    assert [kind.replace("builtins.", "") for kind in revealed] == [
        "irsa_doctor.answers.why.records.Diagnosis",
        "str",
        "tuple[str, ...]",
        "bool",
        "str",
        "str",
    ]
    assert re.findall(r"error: .*\[(.*)\]", done.stdout) == ["arg-type"]
