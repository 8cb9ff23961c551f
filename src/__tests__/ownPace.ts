/**
 * Let React draw when it likes, as on a page: for tests of JupyterLab's widgets and
 * dialogs, which draw by themselves and not by what the testing library renders.
 */
export function drawAtOwnPace(): void {
  beforeAll(() => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  });
}
