"""Documents by kind: answers of AWS, objects of Kubernetes, what an issuer publishes."""
