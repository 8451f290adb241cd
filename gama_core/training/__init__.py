"""How the networks are made: places, pairs, losses, loops, model cards. Nothing imports it."""
