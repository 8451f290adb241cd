"""The app: `streamlit run app.py`.

The server imports this file for `app`, which carries our own routes beside Streamlit's. Each visitor's pages start in
pages/navigation.py, in a folder without a `pages/` of its own, so that Streamlit takes none of its files for a page.
"""

import streamlit as st

if __name__ == "__main__":  # run as a plain script, as Streamlit's AppTest does
    from pages.navigation import navigate

    navigate()
else:
    from pages.routes import middleware, routes

    app = st.App("pages/navigation.py", routes=routes(), middleware=middleware())
