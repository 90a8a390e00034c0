"""`python -m ligero`."""

import sys

from ligero.cli import main

sys.exit(main())
