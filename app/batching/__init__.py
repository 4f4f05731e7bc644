"""Batches in the window: what is to be fused, the run, and what is remembered of it. No widgets."""
