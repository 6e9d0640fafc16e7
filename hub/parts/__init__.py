"""Parts that connectors of several trackers are built from. Each stands alone, names no tracker and decides nothing;
a tracker that works in another way simply does without.
"""
