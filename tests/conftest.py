"""Hypothesis looks at the same examples each time, so that a change is judged by itself and not by luck.

`--hypothesis-profile explore` looks at other ones each time; see CONTRIBUTING.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("steady")
