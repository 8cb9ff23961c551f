import { ReactWidget } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import { HTMLSelect, SidePanel, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel, type Widget } from '@lumino/widgets';
import * as React from 'react';

import { ediIcon } from '../icons';
import type { IPanelContext } from './context';

/** The sidebar: a toolbar over the list of deployments. */
export class EdiPanel extends SidePanel {
  constructor(context: IPanelContext, translator: ITranslator) {
    super({ content: new Panel(), translator });
    const { trans } = context;
    this._context = context;
    this.id = 'edi-panel';
    this.addClass('edi-Panel');
    this.title.icon = ediIcon;
    this.title.caption = trans.__('EDI deployments');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('EDI deployments'));
    this.toolbar.node.setAttribute('aria-label', trans.__('EDI toolbar'));
    this.content.addClass('edi-Panel-content');
  }

  protected override onBeforeShow(msg: Message): void {
    super.onBeforeShow(msg);
    this._setActive(true);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._setActive(false);
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._setActive(this.isVisible);
  }

  protected override onBeforeDetach(msg: Message): void {
    this._setActive(false);
    super.onBeforeDetach(msg);
  }

  private _setActive(isActive: boolean): void {
    this._context.model.isActive = isActive;
    if (isActive && !this._isFilled) {
      this._isFilled = true;
      void this._fill();
    }
  }

  /** Load the list when it is first looked at, not while JupyterLab starts. */
  private async _fill(): Promise<void> {
    const { createBody } = await import('./body');
    if (!this.isDisposed) {
      this.content.addWidget(createBody(this._context));
    }
  }

  private readonly _context: IPanelContext;
  private _isFilled = false;
}

/** The toolbar item that names the environment, and changes it. */
export function createEnvironmentItem(context: IPanelContext): Widget {
  const { model } = context;
  const widget = ReactWidget.create(
    <UseSignal signal={model.changed}>
      {() => <EnvironmentName {...context} />}
    </UseSignal>
  );
  widget.addClass('edi-Environment');
  return widget;
}

function EnvironmentName(props: IPanelContext): JSX.Element | null {
  const { model, trans } = props;
  const { environment, environments } = model;
  if (environment === null) {
    return null;
  }
  if (environments.length === 1) {
    return (
      <span className="edi-Environment-name" title={environment.title}>
        {environment.title}
      </span>
    );
  }
  return (
    <HTMLSelect
      className="edi-Environment-select"
      aria-label={trans.__('Environment')}
      title={environment.host ?? environment.title}
      value={environment.id}
      onChange={event => model.setEnvironment(event.target.value)}
    >
      {environments.map(({ id, title, problem }) => (
        <option key={id} value={id}>
          {problem ? trans.__('%1 (not usable now)', title) : title}
        </option>
      ))}
    </HTMLSelect>
  );
}
