"""How the two sources of a pair are brought onto each other: choices, rigs, and what they give."""
