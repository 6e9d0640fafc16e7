"""The straight line: read, merge, plan, apply, record. Merge and plan are pure; the effects are at the edge."""
