"""Access: who may do what (policy), who is here (sessions, passwords, tokens), and how often (limits)."""
