"""Comparison of fusion methods over a set of pairs: methods, runs, statistics and reports."""
