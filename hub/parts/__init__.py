"""Parts that connectors of several trackers are built from. Each stands alone, names no tracker and makes no call
of its own; a tracker that works in another way simply does without.
"""
