"""What a project has decided for itself: settings, waivers, comments, a baseline."""
