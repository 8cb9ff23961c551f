import type { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';

import { ediIcon } from '../icons';
import type { IPanelContext } from './context';

/**
 * The sidebar: a toolbar over the list of deployments. What fills it is loaded
 * when it is first looked at, not while JupyterLab starts.
 */
export class EdiPanel extends SidePanel {
  /**
   * @param load - Asked for the contents each time the panel shows.
   * @param title - What the panel is called.
   */
  constructor(
    load: () => Promise<IPanelContext>,
    title: string,
    translator: ITranslator
  ) {
    super({ content: new Panel(), translator });
    this._load = load;
    this.id = 'edi-panel';
    this.addClass('edi-Panel');
    this.title.icon = ediIcon;
    this.title.caption = title;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', title);
    this.content.addClass('edi-Panel-content');
  }

  protected override onBeforeShow(msg: Message): void {
    super.onBeforeShow(msg);
    void this._setActive(true);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    void this._setActive(false);
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this._setActive(this.isVisible);
  }

  protected override onBeforeDetach(msg: Message): void {
    void this._setActive(false);
    super.onBeforeDetach(msg);
  }

  private async _setActive(isActive: boolean): Promise<void> {
    this._isActive = isActive;
    if (isActive && this._context === null) {
      const [context, { createBody }] = await Promise.all([
        this._load(),
        import('./body')
      ]);
      if (!this.isDisposed && this._context === null) {
        this._context = context;
        this.content.addWidget(createBody(context));
      }
    }
    if (this._context !== null) {
      this._context.model.isActive = this._isActive;
    }
  }

  private readonly _load: () => Promise<IPanelContext>;
  private _context: IPanelContext | null = null;
  private _isActive = false;
}
