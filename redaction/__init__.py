"""What may not leave: suggestions, plans with reasons in law, burning, and attacks on what was burned."""
