import { expect, type Locator, type Page } from '@playwright/test';

/** The tab of a profile as a person finds it: by role and by name. */
export class ProfilePage {
  constructor(
    readonly page: Page,
    readonly name: string
  ) {}

  get form(): Locator {
    return this.page.getByRole('form', { name: `Profile of ${this.name}` });
  }

  get tab(): Locator {
    return this.page
      .locator('.jp-MainAreaWidget')
      .filter({ has: this.form })
      .locator('.edi-Profile');
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Open the profile by the button of the deployment's row. */
  async open(): Promise<void> {
    const row = this.page
      .getByRole('region', { name: 'EDI deployments' })
      .getByRole('listitem')
      .filter({ hasText: this.name });
    await row.hover();
    await row
      .getByRole('button', { name: `Edit the profile of ${this.name}` })
      .click();
    await expect(this.form).toBeVisible();
  }

  field(label: string): Locator {
    return this.form.getByLabel(label, { exact: true });
  }

  gpu(title: 'No GPU' | 'Shared GPU' | 'Exclusive GPU'): Locator {
    return this.form.getByRole('radio', { name: new RegExp(`^${title}`) });
  }

  get save(): Locator {
    return this.form.getByRole('button', { name: /^Save/ });
  }
}
