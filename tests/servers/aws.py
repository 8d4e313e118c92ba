"""A small AWS of our own over HTTP: answers in the formats that botocore's service models describe, with faults on demand."""

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from botocore import xform_name

from tests.servers.loopback import LoopbackServer

MODELS = {
    name: botocore.session.get_session().get_service_model(name)
    for name in ("iam", "sts", "eks", "organizations", "cloudtrail")
}
_ERRORS = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "NoSuchEntity": 404,
    "ResourceNotFoundException": 404,
    "ExpiredToken": 403,
}


class Problem(Exception):
    """An error answer."""

    def __init__(self, code, message="made up", status=None):
        super().__init__(code)
        self.code, self.message = code, message
        self.status = status or _ERRORS.get(code, 400)


def denied(action, caller="arn:aws:sts::111122223333:assumed-role/auditor/me"):
    says = f"User: {caller} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    return Problem("AccessDenied", says)


class FakeAws(LoopbackServer):
    """An account in a server on loopback. `faults` maps an operation to a Problem, or to a function of (parameters, number of
    the call) that raises one, answers something, or gives None for the usual answer. `calls` is what was called."""

    def __init__(self, account="111122223333", region="us-east-1"):
        self.handler = _Handler
        self.account, self.region = account, region
        self.roles, self.providers, self.clusters, self.associations = {}, {}, {}, {}
        self.policies, self.parents, self.events = {}, {}, []
        self.addons, self.node_groups, self.entries = {}, {}, {}
        self.managed = {}
        self.organization = False
        self.management = "999988887777"
        self.page_size = None
        self.faults: dict[str, object] = {}
        self.calls: list[tuple[str, str, dict]] = []
        self._lock = threading.Lock()

    @property
    def environment(self):
        """What a program finds this AWS by; nothing of the machine's own configuration is left."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    def called(self, operation):
        return [parameters for _, name, parameters in self.calls if name == operation]

    def answer(self, service, operation, parameters):
        with self._lock:
            self.calls.append((service, operation, parameters))
            number = len(self.called(operation))
        fault = self.faults.get(operation)
        given = fault(parameters, number) if callable(fault) and not isinstance(fault, Problem) else fault
        if isinstance(given, Problem):
            raise given
        name = f"on_{xform_name(operation)}"
        if given is None and not hasattr(self, name):
            # an error in the server would end the connection, and every call would be repeated until the test is given up
            raise Problem("ValidationException", f"tests/servers/aws.py has no {name}")
        return given if given is not None else getattr(self, name)(parameters)

    def _page(self, items, parameters, size_name, token_name):
        size = self.page_size or int(parameters.get(size_name) or 100)
        start = int(parameters.get(token_name) or 0)
        return items[start : start + size], str(start + size) if start + size < len(items) else None

    def on_get_caller_identity(self, parameters):
        return {
            "Account": self.account,
            "Arn": f"arn:aws:sts::{self.account}:assumed-role/auditor/me",
            "UserId": "AROAEXAMPLE:me",
        }

    def on_get_role(self, parameters):
        for name, role in self.roles.items():
            if name.lower() == parameters["RoleName"].lower():
                return {"Role": {**role, "AssumeRolePolicyDocument": quote(role["AssumeRolePolicyDocument"])}}
        raise Problem("NoSuchEntity", f"The role with name {parameters['RoleName']} cannot be found.")

    def on_list_roles(self, parameters):
        roles = [{**role, "AssumeRolePolicyDocument": quote(role["AssumeRolePolicyDocument"])} for role in self.roles.values()]
        page, marker = self._page(roles, parameters, "MaxItems", "Marker")
        return {"Roles": page, "IsTruncated": marker is not None, "Marker": marker}

    def _role_of(self, parameters):
        try:
            return self.roles[parameters["RoleName"]]
        except KeyError:
            raise Problem("NoSuchEntity", "no such role") from None

    def on_list_role_policies(self, parameters):
        names = [item["PolicyName"] for item in self._role_of(parameters).get("RolePolicyList", ())]
        return {"PolicyNames": names, "IsTruncated": False}

    def on_get_role_policy(self, parameters):
        for item in self._role_of(parameters).get("RolePolicyList", ()):
            if item["PolicyName"] == parameters["PolicyName"]:
                return {**parameters, "PolicyDocument": quote(json.dumps(item["PolicyDocument"]))}
        raise Problem("NoSuchEntity", "no such policy")

    def on_list_attached_role_policies(self, parameters):
        listed = self._role_of(parameters).get("AttachedManagedPolicies", ())
        attached = [{"PolicyName": item["PolicyArn"].rpartition("/")[2], **item} for item in listed]
        return {"AttachedPolicies": attached, "IsTruncated": False}

    def on_get_policy(self, parameters):
        if parameters["PolicyArn"] not in self.managed:
            raise Problem("NoSuchEntity", "no such policy")
        return {"Policy": {"Arn": parameters["PolicyArn"], "DefaultVersionId": "v3"}}

    def on_get_policy_version(self, parameters):
        text = quote(json.dumps(self.managed[parameters["PolicyArn"]]))
        return {"PolicyVersion": {"VersionId": parameters["VersionId"], "IsDefaultVersion": True, "Document": text}}

    def on_list_open_id_connect_providers(self, parameters):
        return {"OpenIDConnectProviderList": [{"Arn": arn} for arn in self.providers]}

    def on_get_open_id_connect_provider(self, parameters):
        try:
            return self.providers[parameters["OpenIDConnectProviderArn"]]
        except KeyError:
            raise Problem("NoSuchEntity", "no such provider") from None

    def _in(self, region):
        return {name: one for name, one in self.clusters.items() if one["arn"].split(":")[3] == region}

    def on_list_clusters(self, parameters):
        page, token = self._page(sorted(self._in(parameters["region"])), parameters, "maxResults", "nextToken")
        return {"clusters": page, "nextToken": token}

    def on_describe_cluster(self, parameters):
        try:
            return {"cluster": self._in(parameters["region"])[parameters["name"]]}
        except KeyError:
            raise Problem("ResourceNotFoundException", f"No cluster found for name: {parameters['name']}.") from None

    def on_list_pod_identity_associations(self, parameters):
        wanted = {name: parameters[name] for name in ("namespace", "serviceAccount") if parameters.get(name)}
        items = [
            {name: one[name] for name in ("clusterName", "namespace", "serviceAccount", "associationId", "associationArn")}
            for one in self.associations.get(parameters["clusterName"], ())
            if all(one[name] == value for name, value in wanted.items())
        ]
        page, token = self._page(items, parameters, "maxResults", "nextToken")
        return {"associations": page, "nextToken": token}

    def on_describe_pod_identity_association(self, parameters):
        for one in self.associations.get(parameters["clusterName"], ()):
            if one["associationId"] == parameters["associationId"]:
                return {"association": one}
        raise Problem("ResourceNotFoundException")

    def on_list_addons(self, parameters):
        names = [addon["addonName"] for addon in self.addons.get(parameters["clusterName"], ())]
        page, token = self._page(names, parameters, "maxResults", "nextToken")
        return {"addons": page, "nextToken": token}

    def on_describe_addon(self, parameters):
        for addon in self.addons.get(parameters["clusterName"], ()):
            if addon["addonName"] == parameters["addonName"]:
                return {"addon": addon}
        raise Problem("ResourceNotFoundException")

    def on_list_access_entries(self, parameters):
        self._needs_entries(parameters)
        names = [entry["principalArn"] for entry in self.entries.get(parameters["clusterName"], ())]
        page, token = self._page(names, parameters, "maxResults", "nextToken")
        return {"accessEntries": page, "nextToken": token}

    def _needs_entries(self, parameters):
        """https://docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html"""
        access = self.clusters.get(parameters["clusterName"], {}).get("accessConfig", {})
        if access.get("authenticationMode") == "CONFIG_MAP":
            says = (
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
            )
            raise Problem("InvalidRequestException", says)

    def on_describe_access_entry(self, parameters):
        for entry in self.entries.get(parameters["clusterName"], ()):
            if entry["principalArn"] == parameters["principalArn"]:
                return {"accessEntry": {key: value for key, value in entry.items() if key != "policies"}}
        raise Problem("ResourceNotFoundException")

    def on_list_associated_access_policies(self, parameters):
        for entry in self.entries.get(parameters["clusterName"], ()):
            if entry["principalArn"] == parameters["principalArn"]:
                page, token = self._page(entry.get("policies", []), parameters, "maxResults", "nextToken")
                names = {name: parameters[name] for name in ("clusterName", "principalArn")}
                return {**names, "associatedAccessPolicies": page, "nextToken": token}
        raise Problem("ResourceNotFoundException")

    def on_list_nodegroups(self, parameters):
        names = [group["nodegroupName"] for group in self.node_groups.get(parameters["clusterName"], ())]
        page, token = self._page(names, parameters, "maxResults", "nextToken")
        return {"nodegroups": page, "nextToken": token}

    def on_describe_nodegroup(self, parameters):
        for group in self.node_groups.get(parameters["clusterName"], ()):
            if group["nodegroupName"] == parameters["nodegroupName"]:
                return {"nodegroup": group}
        raise Problem("ResourceNotFoundException")

    def on_describe_organization(self, parameters):
        if not self.organization:
            raise Problem("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        return {"Organization": {"Id": "o-example", "MasterAccountId": self.management}}

    def on_list_parents(self, parameters):
        return {"Parents": [{"Id": ident, "Type": "ROOT"} for ident in self.parents.get(parameters["ChildId"], ())]}

    def on_list_policies_for_target(self, parameters):
        names = [name for name, (target, _) in self.policies.items() if target == parameters["TargetId"]]
        return {"Policies": [{"Id": name, "Type": "RESOURCE_CONTROL_POLICY"} for name in names]}

    def on_describe_policy(self, parameters):
        summary = {"Id": parameters["PolicyId"], "Name": "made up", "Type": "RESOURCE_CONTROL_POLICY", "AwsManaged": False}
        return {"Policy": {"PolicySummary": summary, "Content": self.policies[parameters["PolicyId"]][1]}}

    def on_lookup_events(self, parameters):
        page, token = self._page(self.events, parameters, "MaxResults", "NextToken")
        return {"Events": page, "NextToken": token}


class _Handler(BaseHTTPRequestHandler):
    owner: FakeAws
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: do not wait 40 ms between them

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scope = re.search(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/", self.headers.get("Authorization", ""))
        model = MODELS[scope["service"]]
        operation, parameters = _READ[model.protocol](model, self, body)
        if model.service_name == "eks":
            parameters["region"] = scope["region"]
        shape = model.operation_model(operation).output_shape
        try:
            status, content = 200, self.owner.answer(model.service_name, operation, parameters)
            text = content if isinstance(content, bytes) else _WRITE[model.protocol](operation, shape, content)
        except Problem as problem:
            status, text = problem.status, _FAIL[model.protocol](problem)
            self._send(status, text, {"x-amzn-ErrorType": problem.code})
            return
        self._send(status, text, {})

    def _send(self, status, text, headers):
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            # who asked has gone: some tests do not wait
            self.close_connection = True


def _read_query(model, handler, body):
    parameters = dict(parse_qsl(body.decode()))
    return parameters.pop("Action"), parameters


def _read_json(model, handler, body):
    return handler.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body or b"{}")


def _read_rest(model, handler, body):
    url = urlsplit(handler.path)
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"].partition("?")[0]))
        match = re.fullmatch(pattern, url.path)
        if match and http["method"] == handler.command:
            uri = {key: unquote(value) for key, value in match.groupdict().items()}
            return name, {**_by_wire_name(model, name, uri), **dict(parse_qsl(url.query))}
    raise AssertionError(f"no operation at {handler.command} {handler.path}")


def _by_wire_name(model, operation, uri):
    members = model.operation_model(operation).input_shape.members
    names = {shape.serialization.get("name", name): name for name, shape in members.items()}
    return {names[key]: value for key, value in uri.items()}


def _xml(shape, value, name):
    if value is None:
        return ""
    if shape.type_name == "structure":
        inner = "".join(_xml(shape.members[key], item, key) for key, item in value.items() if key in shape.members)
    elif shape.type_name == "list":
        inner = "".join(_xml(shape.member, item, "member") for item in value)
    elif shape.type_name == "boolean":
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def _write_query(operation, shape, content):
    wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
    return f"<{operation}Response>{_xml(shape, content, wrapper)}</{operation}Response>".encode()


def _json_value(shape, value):
    if shape.type_name == "structure":
        return {
            key: _json_value(shape.members[key], item)
            for key, item in value.items()
            if item is not None and key in shape.members
        }
    if shape.type_name == "list":
        return [_json_value(shape.member, item) for item in value]
    if shape.type_name == "timestamp" and isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return value


def _write_json(operation, shape, content):
    return json.dumps(_json_value(shape, content)).encode()


def _fail_query(problem):
    error = f"<Type>Sender</Type><Code>{problem.code}</Code><Message>{escape(problem.message)}</Message>"
    return f"<ErrorResponse><Error>{error}</Error><RequestId>made-up</RequestId></ErrorResponse>".encode()


def _fail_json(problem):
    return json.dumps({"__type": problem.code, "message": problem.message, "Message": problem.message}).encode()


_READ: dict[str, Callable] = {"query": _read_query, "json": _read_json, "rest-json": _read_rest}
_WRITE: dict[str, Callable] = {"query": _write_query, "json": _write_json, "rest-json": _write_json}
_FAIL: dict[str, Callable] = {"query": _fail_query, "json": _fail_json, "rest-json": _fail_json}
