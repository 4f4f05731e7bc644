"""What makes resources: never installed with the product."""
