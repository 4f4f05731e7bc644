"""Generation of the sample pairs."""
