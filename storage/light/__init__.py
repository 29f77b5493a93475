"""Light copies: open forms of what is too large, too rare or too dangerous to open as it is. Made in the sandbox."""
