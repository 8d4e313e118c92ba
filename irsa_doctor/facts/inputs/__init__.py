"""Facts of what the user gave beside AWS and Kubernetes objects: documents, settings, waivers."""
