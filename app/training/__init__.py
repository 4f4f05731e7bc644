"""Training in the window: state, work on a worker thread, and the controller between them."""
