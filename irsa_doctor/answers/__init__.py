"""What a command works out from an inventory, without input or output."""
