"""Retrieval on the published data set, as the paper measures it: embed, rank, screen, rank again, print the tables."""
