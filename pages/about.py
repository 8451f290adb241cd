"""How it works, what the networks are, and what they cannot do."""
import streamlit as st
from pages.widgets import headline
st.html(headline("About", []))
