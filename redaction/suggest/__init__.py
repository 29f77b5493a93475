"""The machine's suggestions: recognizers for Kazakhstan in Kazakh, Russian and English. It suggests, people decide."""
