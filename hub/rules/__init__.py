"""Conditions and what follows from them. Sees tickets and the clock, never HTTP."""
