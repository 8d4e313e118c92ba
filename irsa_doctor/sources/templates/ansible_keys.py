"""The keys by which a task of Ansible that makes a role is recognised, and those that hold tasks."""

MODULES = ("amazon.aws.iam_role", "community.aws.iam_role", "iam_role")
"""https://docs.ansible.com/ansible/latest/collections/amazon/aws/iam_role_module.html"""
TASK_LISTS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
"""https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html"""
