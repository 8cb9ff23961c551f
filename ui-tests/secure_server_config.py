"""JupyterLab as people have it: its own random token, XSRF check on."""

import os

from run_folder import prepare

run = prepare()
c.ServerApp.port = int(os.environ["EDI_UI_PORT"])  # noqa: F821
c.ServerApp.port_retries = 0  # noqa: F821
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.open_browser = False  # noqa: F821
c.ServerApp.root_dir = str(run.root)  # noqa: F821
c.LabApp.workspaces_dir = str(run.folder / "workspaces")  # noqa: F821
c.LabApp.user_settings_dir = str(run.folder / "settings")  # noqa: F821
c.EdiLabext.store = str(run.store)  # noqa: F821
