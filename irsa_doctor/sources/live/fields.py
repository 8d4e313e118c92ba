"""The fields of answers that are kept: an allow-list, so that what nobody asked for is never held, shown or written."""

from collections.abc import Callable, Mapping

from irsa_doctor.sources.documents.kubernetes import about_aws

Cut = Callable[[object], object]
"""takes a decoded value, gives what is kept of it"""

# settings that are no secrets (https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html)
_KEPT_VALUES = frozenset(
    {
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_PROFILE",
        "AWS_ROLE_SESSION_NAME",
    }
)
# of these too the value is kept, though it never is in files: annotations of the API server about the pod itself
_KEPT_ANNOTATIONS = ("kubernetes.io/config.", "CapacityProvisioned")


def _kept(value: object) -> object:
    return value


def _scalar(value: object) -> object:
    return None if isinstance(value, dict | list) else value


def _some(**fields: Cut) -> Cut:
    """An object's members of these names; what is no object is kept as it is, for the reader to complain about."""

    def cut(value: object) -> object:
        if not isinstance(value, dict):
            return _scalar(value)
        return {name: keep(value[name]) for name, keep in fields.items() if value.get(name) is not None}

    return cut


def _each(item: Cut) -> Cut:
    return lambda value: [item(one) for one in value] if isinstance(value, list) else _scalar(value)


def _named(keep: Callable[[str], bool]) -> Cut:
    """The members of a map from text to text whose name is to be kept."""

    def cut(value: object) -> object:
        if not isinstance(value, Mapping):
            return _scalar(value)
        return {name: _scalar(one) for name, one in value.items() if keep(str(name))}

    return cut


_texts = _each(_scalar)
_all_named = _named(lambda name: True)

role = _some(
    Path=_scalar,
    RoleName=_scalar,
    Arn=_scalar,
    CreateDate=_scalar,
    AssumeRolePolicyDocument=_kept,
    MaxSessionDuration=_scalar,
    PermissionsBoundary=_some(PermissionsBoundaryType=_scalar, PermissionsBoundaryArn=_scalar),
)
provider = _some(Url=_scalar, ClientIDList=_texts, ThumbprintList=_texts, CreateDate=_scalar)
listed_provider = _some(Arn=_scalar)
cluster = _some(
    name=_scalar,
    arn=_scalar,
    createdAt=_scalar,
    version=_scalar,
    endpoint=_scalar,
    identity=_some(oidc=_some(issuer=_scalar)),
    status=_scalar,
    platformVersion=_scalar,
    outpostConfig=_some(outpostArns=_texts),
    computeConfig=_some(enabled=_scalar),
)
association = _some(
    clusterName=_scalar,
    namespace=_scalar,
    serviceAccount=_scalar,
    roleArn=_scalar,
    associationArn=_scalar,
    associationId=_scalar,
    targetRoleArn=_scalar,
    disableSessionTags=_scalar,
    createdAt=_scalar,
    modifiedAt=_scalar,
)
organizations_policy = _some(
    PolicySummary=_some(Id=_scalar, Arn=_scalar, Name=_scalar, Type=_scalar, AwsManaged=_scalar), Content=_kept
)

discovery = _some(
    issuer=_scalar,
    jwks_uri=_scalar,
    response_types_supported=_texts,
    subject_types_supported=_texts,
    id_token_signing_alg_values_supported=_texts,
    claims_supported=_texts,
)
# public parts only: a key set that publishes a private one would be worse in a snapshot
key_set = _some(
    keys=_each(
        _some(use=_scalar, kty=_scalar, kid=_scalar, alg=_scalar, n=_scalar, e=_scalar, crv=_scalar, x=_scalar, y=_scalar)
    )
)
version = _some(major=_scalar, minor=_scalar, gitVersion=_scalar)

_metadata = _some(
    name=_scalar,
    generateName=_scalar,
    namespace=_scalar,
    creationTimestamp=_scalar,
    deletionTimestamp=_scalar,
    labels=_all_named,
    annotations=_named(lambda name: about_aws(name) or name.startswith(_KEPT_ANNOTATIONS)),
    ownerReferences=_each(_some(apiVersion=_scalar, kind=_scalar, name=_scalar, controller=_scalar)),
)


def _variable(value: object) -> object:
    """An environment variable: its name, and the value of those that are no secrets."""
    if not isinstance(value, dict):
        return _scalar(value)
    name = value.get("name")
    if name not in _KEPT_VALUES:
        return {"name": _scalar(name)}
    source = _some(fieldRef=_some(fieldPath=_scalar), secretKeyRef=_some(name=_scalar), configMapKeyRef=_some(name=_scalar))
    return _some(name=_scalar, value=_scalar, valueFrom=source)(value)


_reference = _some(name=_scalar, optional=_scalar)
_container_security = _some(runAsUser=_scalar, runAsGroup=_scalar, runAsNonRoot=_scalar)
_container = _some(
    name=_scalar,
    image=_scalar,
    restartPolicy=_scalar,
    env=_each(_variable),
    envFrom=_each(_some(prefix=_scalar, secretRef=_reference, configMapRef=_reference)),
    volumeMounts=_each(_some(name=_scalar, mountPath=_scalar, subPath=_scalar, readOnly=_scalar)),
    securityContext=_container_security,
)
_items = _each(_some(key=_scalar, path=_scalar, mode=_scalar))
_source = _some(
    serviceAccountToken=_some(audience=_scalar, expirationSeconds=_scalar, path=_scalar),
    secret=_some(name=_scalar, items=_items),
    configMap=_some(name=_scalar, items=_items),
)
_volume = _some(
    name=_scalar,
    projected=_some(defaultMode=_scalar, sources=_each(_source)),
    secret=_some(secretName=_scalar, items=_items),
    configMap=_some(name=_scalar, items=_items),
)
_expression = _some(key=_scalar, operator=_scalar, values=_texts)
_node_terms = _each(_some(matchExpressions=_each(_expression)))
_affinity = _some(nodeAffinity=_some(requiredDuringSchedulingIgnoredDuringExecution=_some(nodeSelectorTerms=_node_terms)))
_pod_security = _some(
    runAsUser=_scalar,
    runAsGroup=_scalar,
    runAsNonRoot=_scalar,
    fsGroup=_scalar,
    supplementalGroups=_texts,
    windowsOptions=_some(hostProcess=_scalar),
)
_pod = _some(
    serviceAccountName=_scalar,
    serviceAccount=_scalar,
    automountServiceAccountToken=_scalar,
    hostNetwork=_scalar,
    nodeName=_scalar,
    schedulerName=_scalar,
    nodeSelector=_all_named,
    affinity=_affinity,
    os=_some(name=_scalar),
    securityContext=_pod_security,
    volumes=_each(_volume),
    initContainers=_each(_container),
    containers=_each(_container),
    ephemeralContainers=_each(_container),
)
_waiting = _some(state=_some(waiting=_some(reason=_scalar)), name=_scalar)
_status = _some(
    phase=_scalar, reason=_scalar, startTime=_scalar, initContainerStatuses=_each(_waiting), containerStatuses=_each(_waiting)
)
_template = _some(metadata=_metadata, spec=_pod)
_with_template = _some(
    metadata=_metadata, spec=_some(replicas=_scalar, suspend=_scalar, completions=_scalar, template=_template)
)

_selector = _some(matchLabels=_all_named, matchExpressions=_each(_expression))
_rule = _some(operations=_texts, apiGroups=_texts, apiVersions=_texts, resources=_texts, scope=_scalar)
_webhook = _some(
    name=_scalar,
    clientConfig=_some(url=_scalar, service=_some(namespace=_scalar, name=_scalar, path=_scalar, port=_scalar)),
    rules=_each(_rule),
    failurePolicy=_scalar,
    matchPolicy=_scalar,
    namespaceSelector=_selector,
    objectSelector=_selector,
    reinvocationPolicy=_scalar,
    timeoutSeconds=_scalar,
)

OBJECTS: Mapping[str, Cut] = {
    "ServiceAccount": _some(metadata=_metadata, automountServiceAccountToken=_scalar),
    "Namespace": _some(metadata=_metadata),
    "Pod": _some(metadata=_metadata, spec=_pod, status=_status),
    "Deployment": _with_template,
    "DaemonSet": _with_template,
    "StatefulSet": _with_template,
    "Job": _some(
        metadata=_metadata,
        spec=_some(suspend=_scalar, template=_template),
        status=_some(active=_scalar, succeeded=_scalar, failed=_scalar, completionTime=_scalar),
    ),
    "CronJob": _some(metadata=_metadata, spec=_some(suspend=_scalar, jobTemplate=_some(spec=_some(template=_template)))),
    "MutatingWebhookConfiguration": _some(metadata=_metadata, webhooks=_each(_webhook)),
}
"""Kubernetes kind -> what is kept of an object of it. There is no Secret and no ConfigMap among them."""
