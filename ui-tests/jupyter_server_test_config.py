"""JupyterLab for the UI tests: galata's settings, but with a port, a root and a store of its own.

``tests/server.ts`` chooses the port and the folder and hands both over in ``EDI_UI_PORT`` and
``EDI_UI_FOLDER``. Galata's helper fixes the port at 8888, empties the token and turns the XSRF
check off; ``secure_server_config.py`` is the server that keeps both.
"""

import json
import os
from pathlib import Path

from jupyterlab.galata import configure_jupyter_server
from run_folder import prepare

# Half of what JupyterLab starts has nothing to do with us, and every test loads a page anew.
# ``secure_server_config.py`` is the server with all of it.
LEFT_OUT = (
    "audio cell-toolbar celltags console csvviewer debugger documentsearch extensionmanager help "
    "htmlviewer hub imageviewer inspector javascript json logconsole lsp markdownviewer mathjax "
    "mermaid metadataform pdf pluginmanager terminal toc tooltip vega5 video workspaces"
)

run = prepare()
page_config = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "labconfig/page_config.json"
page_config.parent.mkdir(parents=True)
page_config.write_text(
    json.dumps(
        {
            "disabledExtensions": {f"@jupyterlab/{n}-extension": True for n in LEFT_OUT.split()},
            # Each page asks otherwise, and the server asks yarn.
            "buildCheck": False,
        }
    )
)
os.environ["JUPYTERLAB_GALATA_ROOT_DIR"] = str(run.root)
configure_jupyter_server(c)  # noqa: F821
c.ServerApp.port = int(os.environ["EDI_UI_PORT"])  # noqa: F821
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.EdiLabext.store = str(run.store)  # noqa: F821
