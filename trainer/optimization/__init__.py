"""Losses, the bilevel step, distributed processes."""
