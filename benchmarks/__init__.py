"""One command for each table; nothing here is a test."""
