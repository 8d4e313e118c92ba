import pytest

import irsa_doctor
from irsa_doctor import api


def test_what_the_package_offers_is_what_the_api_offers():
    offered = [name for name in irsa_doctor.__all__ if name != "__version__"]
    assert set(offered) <= set(api.__all__)
    assert all(getattr(irsa_doctor, name) is getattr(api, name) for name in offered)


def test_what_is_not_there_is_an_attribute_error():
    assert not hasattr(irsa_doctor, "fix_everything")
    assert not hasattr(api, "fix_everything")


@pytest.mark.parametrize("name", api.__all__)
def test_every_exported_name_is_there(name):
    assert getattr(api, name) is not None


def test_every_exception_has_one_base():
    exported = [getattr(api, name) for name in api.__all__]
    exceptions = [thing for thing in exported if isinstance(thing, type) and issubclass(thing, Exception)]
    assert len(exceptions) > 10
    assert all(issubclass(exception, irsa_doctor.IrsaDoctorError) for exception in exceptions)
