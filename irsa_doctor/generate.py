"""`python -m irsa_doctor.generate [--check]`: writes again what is made from something else."""

import sys
from pathlib import Path

from irsa_doctor.rulebook import index_of

_HERE = Path(__file__).parent


def main() -> int:
    """Write the rule index; with --check, only say whether it is current."""
    path, text = _HERE / "rules_index.json", index_of(_HERE.parent / "rules")
    current = path.exists() and path.read_bytes() == text
    if "--check" in sys.argv[1:]:
        if not current:
            print(f"{path.name} is not current: run make generated", file=sys.stderr)
        return int(not current)
    path.write_bytes(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
