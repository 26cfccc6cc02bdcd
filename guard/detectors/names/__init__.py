"""Names and phrases in text, exact and misspelt."""
