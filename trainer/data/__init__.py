"""Pairs, split, sampler and preflight of a training run."""
