"""Making of the sample pairs."""
