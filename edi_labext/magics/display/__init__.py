"""What the magics show: objects with plain text for terminals and HTML for notebooks.

The HTML is plain tables, which JupyterLab and Notebook style themselves, light and dark. All text
in it is escaped; there are no scripts and no links.
"""
