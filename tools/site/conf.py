"""How Sphinx makes HTML of the sources of the site: offline, and every warning is an error (`make docs`)."""

import os
from pathlib import Path

_HERE = Path(__file__).parent

project = "irsa-doctor"
html_title = "irsa-doctor"
extensions = ["myst_parser"]
nitpicky = True
# options begin with two hyphens, and messages are searched for as they are written
smartquotes = False
# anchors of headings as GitHub makes them
myst_heading_anchors = 4
# outputs of commands are cut, and then no whole documents
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_theme_options = {"navigation_with_keys": False}
html_static_path = [str(_HERE / "style")]
html_css_files = ["site.css"]
html_search_scorer = str(_HERE / "style" / "scorer.js")
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
pygments_style = "default"
pygments_dark_style = "github-dark"
html_extra_path = [os.environ["SITE_FILES"]]
# where the site is published, once that is known: for the address that search engines are to show
html_baseurl = os.environ.get("SITE_URL", "")
