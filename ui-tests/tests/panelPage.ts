import { expect, type Locator, type Page } from '@playwright/test';

/** The EDI panel as a person finds it: by role and by name. */
export class PanelPage {
  constructor(readonly page: Page) {}

  get panel(): Locator {
    return this.page.getByRole('region', { name: 'EDI deployments' });
  }

  get tab(): Locator {
    return this.page.getByRole('tab', { name: 'EDI deployments' });
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Show the panel, whether or not it is shown. */
  async open(): Promise<void> {
    // A press on the tab of what shows would hide it.
    if (!(await this.panel.isVisible())) {
      await this.tab.click();
    }
    await expect(this.panel).toBeVisible();
  }

  /** Have the panel ask again for everything, its environments too. */
  async refresh(): Promise<void> {
    // In a narrow panel its button is in the toolbar's menu.
    await this.page.evaluate(() =>
      window.jupyterapp.commands.execute('edi:refresh')
    );
  }

  /**
   * Drag the panel down to 200 pixels; JupyterLab's own sidebars end at 250.
   *
   * @returns what gives it its width back.
   */
  async narrow(): Promise<() => Promise<void>> {
    const style = await this.page.addStyleTag({
      content: ':root { --jp-sidebar-min-width: 200px !important }'
    });
    await this.showAnew();
    const before = await this.dragTo(100);
    await expect.poll(() => this.width()).toBe(200);
    return async () => {
      await style.evaluate(node => (node as HTMLElement).remove());
      await this.showAnew();
      await this.dragTo(before);
      await expect
        .poll(() => this.width())
        .toBeGreaterThan(Math.min(before, 250) - 1);
      await expect(
        this.panel.getByRole('button', { name: /Refresh/ })
      ).toBeVisible();
    };
  }

  /** By how many pixels something in the panel is wider than its place. */
  overflow(): Promise<number> {
    return this.panel.evaluate(panel =>
      Math.max(
        ...[panel, ...panel.children].map(
          part => part.scrollWidth - part.clientWidth
        )
      )
    );
  }

  /** JupyterLab looks up the least width of a panel when it is shown. */
  private async showAnew(): Promise<void> {
    await this.tab.click();
    await expect(this.panel).toBeHidden();
    await this.tab.click();
    await expect(this.panel).toBeVisible();
  }

  private async width(): Promise<number> {
    return Math.round((await this.panel.boundingBox())?.width ?? 0);
  }

  /** Drag the edge of the panel until it is so wide; returns how wide it was. */
  private async dragTo(width: number): Promise<number> {
    const box = await this.panel.boundingBox();
    expect(box).not.toBeNull();
    const { x, y, width: before } = box!;
    await this.page.mouse.move(x + before + 3, y + 500);
    await this.page.mouse.down();
    await this.page.mouse.move(x + width + 3, y + 500, { steps: 8 });
    await this.page.mouse.up();
    return before;
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

  /** Show the details of a row; the page may remember that they were shown. */
  async expand(name: string): Promise<void> {
    const toggle = this.toggle(name);
    if ((await toggle.getAttribute('aria-expanded')) === 'false') {
      await toggle.click();
    }
    await expect(toggle).toHaveAttribute('aria-expanded', 'true');
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
