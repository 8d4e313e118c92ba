"""The annotations of a service account that the pod identity webhook of EKS reads and other parts of the tree ask for.

https://github.com/aws/amazon-eks-pod-identity-webhook (pkg/annotations.go)
"""

ROLE_ARN = "eks.amazonaws.com/role-arn"
AUDIENCE_ANNOTATION = "eks.amazonaws.com/audience"
