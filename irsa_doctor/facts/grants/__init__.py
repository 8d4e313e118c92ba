"""Facts of grants: one Allow statement for one provider."""
