"""`python -m gateway` is `hearth`."""

import sys

from gateway.cli import main

sys.exit(main())
