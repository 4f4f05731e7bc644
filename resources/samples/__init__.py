"""The sample pairs the program opens on, and the scripts that made them."""
