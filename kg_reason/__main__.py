"""`python -m kg_reason` is the command `kg-reason`."""

from __future__ import annotations

import sys

from kg_reason.cli import main

if __name__ == "__main__":
    sys.exit(main())
