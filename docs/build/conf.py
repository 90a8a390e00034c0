"""Sphinx's settings: Markdown, nothing from outside, light and dark."""

from ligero import __version__

project = "ligero"
author = "the authors of ligero"
release = version = __version__
language = "en"

extensions = ["myst_parser"]
# Anchors of headings as GitHub makes them, so that one link is right in both places.
myst_heading_anchors = 4
# A page may begin deeper, and JSON in pages may be cut with dots.
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
highlight_language = "text"
numfig = False

html_theme = "furo"
html_title = "ligero"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = True
# No address is known where the site will lie, so none is written into pages.
html_baseurl = ""
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "monokai"
