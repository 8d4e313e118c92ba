"""Facts of service accounts, and of the bindings between them and the roles that they name."""
