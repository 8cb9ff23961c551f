/** Load the page again; JupyterLab asks first where something is not saved. */
export function reloadPage(): void {
  window.location.reload();
}
