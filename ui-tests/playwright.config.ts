import * as os from 'node:os';

import { defineConfig } from '@playwright/test';
import type { PlaywrightTestConfig } from '@playwright/test';

// eslint-disable-next-line @typescript-eslint/no-require-imports
const base: PlaywrightTestConfig = require('@jupyterlab/galata/lib/playwright-config');

export default defineConfig({
  ...base,
  testDir: './tests',
  reporter: [['list']],
  // A file runs on one worker: its tests share a server and what is deployed on it.
  // One more than cores, since half of the time they wait; each has a JupyterLab and
  // a browser of its own, and the longest files end no sooner with more.
  workers: Number(
    process.env.EDI_UI_WORKERS ?? Math.min(os.availableParallelism() + 1, 4)
  ),
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  // Playwright lists a test that passed only at the second try as flaky.
  retries: process.env.CI ? 2 : 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  use: {
    ...base.use,
    viewport: { width: 1280, height: 800 },
    // Both want Playwright's own ffmpeg.
    video: 'off',
    // Traces cost half as much again as the tests themselves.
    trace: process.env.CI ? 'on-first-retry' : 'off',
    launchOptions: {
      executablePath: process.env.EDI_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic'
      ]
    }
  }
});
