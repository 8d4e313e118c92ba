import irsa_doctor
from irsa_doctor import api


def test_every_function_of_the_api_is_there_for_other_programs():
    assert set(irsa_doctor.__all__) - {"__version__"} == set(api.__all__)
    assert all(getattr(irsa_doctor, name) is getattr(api, name) for name in api.__all__)


def test_what_is_not_there_is_said():
    assert not hasattr(irsa_doctor, "fix_everything")
