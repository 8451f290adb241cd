"""The app: pages that ask, call one verb of gama_core, and show."""
