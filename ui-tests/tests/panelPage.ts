import { expect, type Locator, type Page } from '@playwright/test';

/** The EDI panel as a person finds it: by role and by name. */
export class PanelPage {
  constructor(readonly page: Page) {}

  get panel(): Locator {
    return this.page.getByRole('region', { name: 'EDI deployments' });
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Show the panel, whether or not it is shown. */
  async open(): Promise<void> {
    await this.page.getByRole('tab', { name: 'EDI deployments' }).click();
    await expect(this.panel).toBeVisible();
  }

  /** Undeploy what a test that was cut short left behind. */
  async clear(): Promise<void> {
    const list = new URL(
      'edi/environments/local/deployments',
      this.page.url().replace(/\/lab.*/, '/')
    ).href;
    const names = async (): Promise<string[]> => {
      const answer = await this.page.request.get(list);
      const { deployments = [] } = await answer.json();
      return deployments.map((one: { name: string }) => one.name);
    };
    for (const name of await names()) {
      await this.page.request.delete(`${list}/${encodeURIComponent(name)}`);
    }
    await expect.poll(names).toEqual([]);
  }

  row(name: string): Locator {
    return this.panel
      .getByRole('listitem')
      .filter({ has: this.toggleIn(this.page, name) });
  }

  /** The part of a row that opens its details; its name tells the state. */
  toggle(name: string): Locator {
    return this.toggleIn(this.panel, name);
  }

  async expectState(name: string, state: string): Promise<void> {
    const text = new RegExp(`^${name} ${state}\\b`);
    await expect(this.panel.getByRole('button', { name: text })).toBeVisible();
  }

  /** Right-click an entry of the file browser's current folder. */
  async deployFolder(folder: string): Promise<void> {
    await this.fileItem(folder).click({ button: 'right' });
    await this.page.getByRole('menuitem', { name: 'Deploy to EDI…' }).click();
    await expect(this.dialog).toBeVisible();
  }

  /** Press one of the buttons of a row. */
  async act(
    verb: 'Start' | 'Stop' | 'Restart' | 'Undeploy',
    name: string
  ): Promise<void> {
    await this.toggle(name).hover();
    await this.panel.getByRole('button', { name: `${verb} ${name}` }).click();
  }

  /** Agree to what a dialog asks. */
  async confirm(label: string): Promise<void> {
    await this.dialog.getByRole('button', { name: label, exact: true }).click();
    await expect(this.dialog).toBeHidden();
  }

  private fileItem(name: string): Locator {
    return this.page.getByRole('listitem', {
      name: new RegExp(`^Name: ${name}\\b`)
    });
  }

  private toggleIn(scope: Locator | Page, name: string): Locator {
    return scope.getByRole('button', {
      name: new RegExp(
        `^${name} (Stopped|Starting|Pending|Ready|Failed|Stopping|Deploying|Undeploying|Unknown)`
      )
    });
  }
}
