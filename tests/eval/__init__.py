"""How well the shipped rules read mail that was written without looking at them; never changes a rule, never leaves loopback."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
