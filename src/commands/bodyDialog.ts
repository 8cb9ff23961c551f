import { Dialog } from '@jupyterlab/apputils';

/**
 * A dialog whose body has controls of its own. The base class takes every Enter
 * for its last button, wherever the focus is; here it stays with buttons, what
 * folds up, and forms of the body.
 */
export class BodyDialog<T> extends Dialog<T> {
  override handleEvent(event: Event): void {
    const isOwnEnter =
      event.type === 'keydown' &&
      (event as KeyboardEvent).key === 'Enter' &&
      event.target instanceof Element &&
      event.target.closest('.jp-Dialog-body') !== null &&
      event.target.closest('button, summary, form') !== null;
    if (!isOwnEnter) {
      super.handleEvent(event);
    }
  }
}
