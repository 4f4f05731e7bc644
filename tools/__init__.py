"""Tools that make the resources; not installed with the product."""
