import * as path from 'node:path';

import type { Locator, Page } from '@playwright/test';

const FOLDER = path.join(__dirname, '..', '..', 'docs', 'images');

/** Keep a picture for the documentation, if this run shall make them. */
export async function picture(
  target: Page | Locator,
  name: string
): Promise<void> {
  if (process.env.EDI_SCREENSHOTS === '1') {
    await target.screenshot({
      path: path.join(FOLDER, `${name}.png`),
      animations: 'disabled'
    });
  }
}
