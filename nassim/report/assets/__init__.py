"""What the page is made of: HTML, its style sheet, its scripts, and Plotly's library.

plotly-basic.min.js is plotly.js-basic-dist-min 4.1.1 from the npm registry, unchanged (MIT, see its LICENSE beside it):
the lines and points that the page needs, in a quarter of the size of the whole library, which the package plotly of
PyPI carries. To update it: npm pack plotly.js-basic-dist-min, and compare the screenshots of the tests.
"""

from __future__ import annotations

from importlib.resources import files


def asset(name: str) -> str:
    """The text of a file of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def plotly_source() -> str:
    """Plotly's library, fit to stand in a page."""
    return asset("plotly-basic.min.js").replace("</script", "<\\/script")
