"""Which files belong together, and why."""
