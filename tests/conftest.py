"""Makes tests/support importable and tells pytest what a fresh tree needs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
