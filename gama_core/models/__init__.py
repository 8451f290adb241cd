"""The networks: pure torch, no geography, no files but weights."""
