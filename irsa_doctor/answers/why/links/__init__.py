"""The links on the way of a credential, a module a group of them."""
