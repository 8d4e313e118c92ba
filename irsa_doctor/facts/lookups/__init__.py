"""Tables over one inventory that several facts look things up in; they are no facts themselves."""
