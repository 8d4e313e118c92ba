"""The commands of the AWS CLI as its own models read them: options are the members of the input of an operation.

https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-types.html
"""

import json
import shlex

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

_SESSION = botocore.session.get_session()
_GLOBAL = {"--region", "--output", "--query", "--profile"}
_NUMBERS = {"integer": int, "long": int}


class NotAccepted(Exception):
    """A command that the AWS CLI would refuse; the text says why."""


def read_command(command):
    """(service, operation, parameters, global options) of a command; raises NotAccepted."""
    words = shlex.split(command)
    if words[:1] != ["aws"] or len(words) < 3:
        raise NotAccepted(command)
    service, wanted = words[1:3]
    model = _SESSION.get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if wanted not in names:
        raise NotAccepted(f"{service} has no {wanted}")
    shape = model.operation_model(names[wanted]).input_shape
    members = {f"--{_SPELT.get(name, xform_name(name, '-'))}": name for name in (shape.members if shape else {})}
    given, options = {}, {}
    for option, values in _options(words[3:]):
        if option in members:
            given[members[option]] = _value(shape.members[members[option]], values)
        elif option in _GLOBAL and len(values) == 1:
            options[option] = values[0]
        else:
            raise NotAccepted(f"{service} {wanted} has no {option} {values}")
    report = ParamValidator().validate(given, shape) if shape else None
    if report and report.has_errors():
        raise NotAccepted(report.generate_report())
    return service, names[wanted], given, options


# where botocore's way to write a name is not that of the CLI
_SPELT = {"OpenIDConnectProviderArn": "open-id-connect-provider-arn", "ClientIDList": "client-id-list", "ClientID": "client-id"}


def _options(words):
    """Yields each option with its values."""
    starts = [number for number, word in enumerate(words) if word.startswith("--")]
    if words and (not starts or starts[0]):
        raise NotAccepted(f"{words[0]} belongs to no option")
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        yield words[start], words[start + 1 : end]


def _value(shape, values):
    if shape.type_name == "list":
        if len(values) == 1 and values[0].startswith("["):
            return json.loads(values[0])
        is_structure = shape.member.type_name == "structure"
        return [dict(pair.split("=", 1) for pair in value.split(",")) if is_structure else value for value in values]
    if len(values) != 1:
        raise NotAccepted(f"{values} for one value")
    return _NUMBERS.get(shape.type_name, str)(values[0])


def call(command, client_of):
    """What AWS answers to a command; `client_of` makes a client of a service."""
    service, operation, parameters, _ = read_command(command)
    client = client_of(service)
    return getattr(client, xform_name(operation))(**parameters)
