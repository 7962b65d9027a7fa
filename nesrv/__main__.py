"""``python -m nesrv``."""

import sys

from nesrv.cli import main

sys.exit(main())
