"""Facts of the input beside AWS and Kubernetes objects: documents, settings, waivers."""
