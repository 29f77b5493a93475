"""What was said: sound becomes a machine draft with word times, people correct and confirm it."""
