import pytest

from tools.stubs import stubs


@pytest.mark.parametrize(("path", "text"), list(stubs()), ids=["api", "irsa_doctor"])
def test_a_stub_gives_the_names_of_its_package(path, text):
    assert path.read_bytes() == text, "run make generated"
