"""The doctor: what works between this machine and one exchange, what does not, and what to do about it.

`diagnose` runs the table of checks of `planar.doctor.diagnosis` in order; each gives one `Result`. It reads only, and asks
through the same sockets, guard and budget as every program. `planar doctor` shows what it finds.
"""

from planar.doctor.diagnosis import CHECKS, diagnose
from planar.doctor.report import Diagnosis, Level, Result, Verdict

__all__ = ["CHECKS", "Diagnosis", "Level", "Result", "Verdict", "diagnose"]
