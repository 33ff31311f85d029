"""How fast the whole gateway is, beside Postfix and its filters on the same machine in the same run; never leaves loopback."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
