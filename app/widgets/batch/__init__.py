"""The parts of the Batch workspace."""
