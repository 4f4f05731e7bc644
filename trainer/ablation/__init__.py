"""Ablations: runs that differ in one part of the method, over several seeds, and their report."""
