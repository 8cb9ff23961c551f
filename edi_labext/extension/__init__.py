"""The Jupyter server half: a closed REST façade over ``operations``, jobs and live state.

Loaded by every Jupyter server that has the package installed, so what is imported at load time
(``app``, ``urls``, ``handlers``) needs only what Jupyter itself has loaded already. Everything
else (``service`` and below) is imported by the first request.
"""
