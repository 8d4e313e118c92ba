"""What a federated credential of Azure and a member of a policy of Google Cloud mean."""
