"""The keys by which a task of Ansible that makes a role or a service account is recognised, and those that hold tasks."""

MODULES = ("amazon.aws.iam_role", "community.aws.iam_role", "iam_role")
"""https://docs.ansible.com/ansible/latest/collections/amazon/aws/iam_role_module.html"""
OBJECT_MODULES = ("kubernetes.core.k8s", "community.kubernetes.k8s", "k8s")
"""https://docs.ansible.com/ansible/latest/collections/kubernetes/core/k8s_module.html"""
DEFINITIONS = ("definition", "resource_definition", "inline")
"""the argument of those with objects, and its other names"""
TASK_LISTS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
"""https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html"""
