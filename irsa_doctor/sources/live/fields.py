"""The fields of answers that are kept: an allow-list, so that nothing else is held, shown or written."""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.sources.documents.cluster_parts import addon_settings
from irsa_doctor.sources.documents.kubernetes import about_aws
from irsa_doctor.sources.documents.managing import shows_manager

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
_KEPT_ANNOTATIONS = (
    *("kubernetes.io/config.", "CapacityProvisioned"),
    # which tool the object is managed by
    *("meta.helm.sh/release-name", "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance", "olm.owner"),
)


def _kept(value: object) -> object:
    return value


def _scalar(value: object) -> object:
    return None if isinstance(value, dict | list) else value


def _object(**fields: Cut) -> Cut:
    """An object's members of these names; what is no object is kept as it is, for the reader to complain about."""

    def cut(value: object) -> object:
        if not isinstance(value, dict):
            return _scalar(value)
        return {name: keep(value[name]) for name, keep in fields.items() if value.get(name) is not None}

    return cut


def _each(item: Cut) -> Cut:
    return lambda value: [item(entry) for entry in value] if isinstance(value, list) else _scalar(value)


def _named(keep: Callable[[str], bool]) -> Cut:
    """The members of a map from text to text whose name is to be kept."""

    def cut(value: object) -> object:
        if not isinstance(value, Mapping):
            return _scalar(value)
        return {name: _scalar(entry) for name, entry in value.items() if keep(str(name))}

    return cut


_texts = _each(_scalar)
_all_named = _named(lambda name: True)


def _tags_of_tools(value: object) -> object:
    """The tags that show which tool an object is managed by."""
    tags = [tag for tag in value if isinstance(tag, dict)] if isinstance(value, list) else []
    return [_object(Key=_scalar, Value=_scalar)(tag) for tag in tags if shows_manager(str(tag.get("Key")))]


role = _object(
    Path=_scalar,
    RoleName=_scalar,
    Arn=_scalar,
    CreateDate=_scalar,
    AssumeRolePolicyDocument=_kept,
    MaxSessionDuration=_scalar,
    RoleLastUsed=_object(LastUsedDate=_scalar),
    Tags=_tags_of_tools,
    PermissionsBoundary=_object(PermissionsBoundaryType=_scalar, PermissionsBoundaryArn=_scalar),
)
permissions_of_role = _object(
    RoleName=_scalar,
    Arn=_scalar,
    RolePolicyList=_each(_object(PolicyName=_scalar, PolicyDocument=_kept)),
    AttachedManagedPolicies=_each(_object(PolicyArn=_scalar)),
    PermissionsBoundary=_object(PermissionsBoundaryType=_scalar, PermissionsBoundaryArn=_scalar),
)
provider = _object(Url=_scalar, ClientIDList=_texts, ThumbprintList=_texts, CreateDate=_scalar, Tags=_tags_of_tools)
listed_provider = _object(Arn=_scalar)
cluster = _object(
    name=_scalar,
    arn=_scalar,
    createdAt=_scalar,
    version=_scalar,
    endpoint=_scalar,
    identity=_object(oidc=_object(issuer=_scalar)),
    status=_scalar,
    platformVersion=_scalar,
    outpostConfig=_object(outpostArns=_texts),
    computeConfig=_object(enabled=_scalar),
    accessConfig=_object(authenticationMode=_scalar),
)
association = _object(
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


def _daemonsets(text: object) -> object:
    """Of the configuration of an add-on, which daemon sets it creates, as JSON; what cannot be read stays unreadable."""
    settings = addon_settings(text) if isinstance(text, str) else None
    if settings is None:
        return "unreadable" if text else None
    created = _named_each(_object(create=_scalar))(settings.get("daemonsets"))
    return msgspec.json.encode({"daemonsets": created} if isinstance(created, dict) else {}).decode()


def _named_each(item: Cut) -> Cut:
    return lambda value: {name: item(entry) for name, entry in value.items()} if isinstance(value, dict) else _scalar(value)


addon = _object(
    addonName=_scalar,
    clusterName=_scalar,
    status=_scalar,
    addonVersion=_scalar,
    health=_object(issues=_each(_object(code=_scalar))),
    configurationValues=_daemonsets,
)
access_entry = _object(clusterName=_scalar, principalArn=_scalar, type=_scalar, username=_scalar, kubernetesGroups=_texts)
policy_of_entry = _object(policyArn=_scalar, accessScope=_object(type=_scalar, namespaces=_texts))
node_group = _object(nodegroupName=_scalar, clusterName=_scalar, nodeRole=_scalar, status=_scalar)
organizations_policy = _object(
    PolicySummary=_object(Id=_scalar, Arn=_scalar, Name=_scalar, Type=_scalar, AwsManaged=_scalar), Content=_kept
)

discovery = _object(
    issuer=_scalar,
    jwks_uri=_scalar,
    response_types_supported=_texts,
    subject_types_supported=_texts,
    id_token_signing_alg_values_supported=_texts,
    claims_supported=_texts,
)
# public parts only: a key set that publishes a private one would be worse in a snapshot
key_set = _object(
    keys=_each(
        _object(use=_scalar, kty=_scalar, kid=_scalar, alg=_scalar, n=_scalar, e=_scalar, crv=_scalar, x=_scalar, y=_scalar)
    )
)
version = _object(major=_scalar, minor=_scalar, gitVersion=_scalar)

_metadata = _object(
    name=_scalar,
    generateName=_scalar,
    namespace=_scalar,
    creationTimestamp=_scalar,
    deletionTimestamp=_scalar,
    labels=_all_named,
    annotations=_named(lambda name: about_aws(name) or name.startswith(_KEPT_ANNOTATIONS)),
    ownerReferences=_each(_object(apiVersion=_scalar, kind=_scalar, name=_scalar, controller=_scalar)),
)


def _variable(value: object) -> object:
    """An environment variable: its name, and the value of those that are no secrets."""
    if not isinstance(value, dict):
        return _scalar(value)
    name = value.get("name")
    if name not in _KEPT_VALUES:
        return {"name": _scalar(name)}
    source = _object(
        fieldRef=_object(fieldPath=_scalar), secretKeyRef=_object(name=_scalar), configMapKeyRef=_object(name=_scalar)
    )
    return _object(name=_scalar, value=_scalar, valueFrom=source)(value)


_reference = _object(name=_scalar, optional=_scalar)
_container_security = _object(runAsUser=_scalar, runAsGroup=_scalar, runAsNonRoot=_scalar)
_container = _object(
    name=_scalar,
    image=_scalar,
    restartPolicy=_scalar,
    env=_each(_variable),
    envFrom=_each(_object(prefix=_scalar, secretRef=_reference, configMapRef=_reference)),
    volumeMounts=_each(_object(name=_scalar, mountPath=_scalar, subPath=_scalar, readOnly=_scalar)),
    securityContext=_container_security,
)
_items = _each(_object(key=_scalar, path=_scalar, mode=_scalar))
_source = _object(
    serviceAccountToken=_object(audience=_scalar, expirationSeconds=_scalar, path=_scalar),
    secret=_object(name=_scalar, items=_items),
    configMap=_object(name=_scalar, items=_items),
)
_volume = _object(
    name=_scalar,
    projected=_object(defaultMode=_scalar, sources=_each(_source)),
    secret=_object(secretName=_scalar, items=_items),
    configMap=_object(name=_scalar, items=_items),
    csi=_object(driver=_scalar),
)
_expression = _object(key=_scalar, operator=_scalar, values=_texts)
_node_terms = _each(_object(matchExpressions=_each(_expression)))
_affinity = _object(nodeAffinity=_object(requiredDuringSchedulingIgnoredDuringExecution=_object(nodeSelectorTerms=_node_terms)))
_pod_security = _object(
    runAsUser=_scalar,
    runAsGroup=_scalar,
    runAsNonRoot=_scalar,
    fsGroup=_scalar,
    supplementalGroups=_texts,
    windowsOptions=_object(hostProcess=_scalar),
)
_pod = _object(
    serviceAccountName=_scalar,
    serviceAccount=_scalar,
    automountServiceAccountToken=_scalar,
    hostNetwork=_scalar,
    nodeName=_scalar,
    schedulerName=_scalar,
    nodeSelector=_all_named,
    affinity=_affinity,
    os=_object(name=_scalar),
    securityContext=_pod_security,
    volumes=_each(_volume),
    initContainers=_each(_container),
    containers=_each(_container),
    ephemeralContainers=_each(_container),
)
_waiting = _object(state=_object(waiting=_object(reason=_scalar)), name=_scalar)
_status = _object(
    phase=_scalar, reason=_scalar, startTime=_scalar, initContainerStatuses=_each(_waiting), containerStatuses=_each(_waiting)
)
_template = _object(metadata=_metadata, spec=_pod)
_with_template = _object(
    metadata=_metadata, spec=_object(replicas=_scalar, suspend=_scalar, completions=_scalar, template=_template)
)

_selector = _object(matchLabels=_all_named, matchExpressions=_each(_expression))
_rule = _object(operations=_texts, apiGroups=_texts, apiVersions=_texts, resources=_texts, scope=_scalar)
_webhook = _object(
    name=_scalar,
    clientConfig=_object(url=_scalar, service=_object(namespace=_scalar, name=_scalar, path=_scalar, port=_scalar)),
    rules=_each(_rule),
    failurePolicy=_scalar,
    matchPolicy=_scalar,
    namespaceSelector=_selector,
    objectSelector=_selector,
    reinvocationPolicy=_scalar,
    timeoutSeconds=_scalar,
)

_block = _object(**{"cidr": _scalar, "except": _texts})
_peer = _object(ipBlock=_block, podSelector=_selector, namespaceSelector=_selector)
_egress = _object(to=_each(_peer), ports=_each(_object(protocol=_scalar, port=_scalar, endPort=_scalar)))


def _of_the_server(value: object) -> object:
    """That the API server holds an object; its version itself would make every snapshot differ from the one before."""
    return "0" if value else None


_access_metadata = _object(name=_scalar, namespace=_scalar, labels=_all_named, resourceVersion=_of_the_server)
_access_rule = _object(verbs=_texts, apiGroups=_texts, resources=_texts, resourceNames=_texts)
_access_role = _object(
    metadata=_access_metadata,
    rules=_each(_access_rule),
    aggregationRule=_object(clusterRoleSelectors=_each(_selector)),
)
_access_binding = _object(
    metadata=_access_metadata,
    roleRef=_object(apiGroup=_scalar, kind=_scalar, name=_scalar),
    subjects=_each(_object(apiGroup=_scalar, kind=_scalar, name=_scalar, namespace=_scalar)),
)
_account_of_token = _named(lambda name: name == "kubernetes.io/service-account.name")

OBJECTS: Mapping[str, Cut] = {
    "ServiceAccount": _object(metadata=_metadata, automountServiceAccountToken=_scalar),
    "Namespace": _object(metadata=_metadata),
    "Node": _object(metadata=_metadata),
    "NetworkPolicy": _object(
        metadata=_metadata, spec=_object(podSelector=_selector, policyTypes=_texts, egress=_each(_egress))
    ),
    "Pod": _object(metadata=_metadata, spec=_pod, status=_status),
    "Deployment": _with_template,
    "DaemonSet": _with_template,
    "StatefulSet": _with_template,
    "ReplicaSet": _with_template,
    "ReplicationController": _with_template,
    "Job": _object(
        metadata=_metadata,
        spec=_object(suspend=_scalar, template=_template),
        status=_object(active=_scalar, succeeded=_scalar, failed=_scalar, completionTime=_scalar),
    ),
    "CronJob": _object(
        metadata=_metadata, spec=_object(suspend=_scalar, jobTemplate=_object(spec=_object(template=_template)))
    ),
    "MutatingWebhookConfiguration": _object(metadata=_metadata, webhooks=_each(_webhook)),
    "Role": _access_role,
    "ClusterRole": _access_role,
    "RoleBinding": _access_binding,
    "ClusterRoleBinding": _access_binding,
    "ConfigMap": _object(
        metadata=_object(name=_scalar, namespace=_scalar),
        data=_object(mapRoles=_scalar, mapUsers=_scalar, mapAccounts=_scalar),
    ),
    "Secret": _object(type=_scalar, metadata=_object(name=_scalar, namespace=_scalar, annotations=_account_of_token)),
}
"""Kubernetes kind -> what is kept of an object of it. Of the ConfigMap aws-auth that is who is let in, of Secrets the name, and
the type and the service account of a token; their contents are not even requested."""
