"""The questions of the command line for programs that speak the Model Context Protocol."""
