"""Gallery: what can be searched. Views of the ground, sorted by region, with the embeddings of one network."""
