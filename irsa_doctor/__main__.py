"""`python -m irsa_doctor`."""

from irsa_doctor.cli import main

main()
