"""Measurements: the hub beside a bare loop that makes the same calls."""
