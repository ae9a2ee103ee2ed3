"""`python -m procurator` is the command line."""

import sys

from procurator.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
