import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { defineConfig } from '@playwright/test';
import type { PlaywrightTestConfig } from '@playwright/test';

// eslint-disable-next-line @typescript-eslint/no-require-imports
const base: PlaywrightTestConfig = require('@jupyterlab/galata/lib/playwright-config');

/** Ports that are free now; asked of another process, since a config cannot wait. */
function freePorts(count: number): string[] {
  const script = `
    const net = require('node:net');
    const servers = Array.from({ length: ${count} }, () => net.createServer());
    let open = 0;
    servers.forEach(server => server.listen(0, '127.0.0.1', () => {
      if (++open === servers.length) {
        console.log(servers.map(s => s.address().port).join(' '));
        servers.forEach(s => s.close());
      }
    }));`;
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    .trim()
    .split(' ');
}

// Workers read this file again and must come to the same answers.
if (process.env.EDI_UI_RUN === undefined) {
  const [open, secure] = freePorts(2);
  process.env.EDI_UI_PORT = open;
  process.env.EDI_UI_SECURE_PORT = secure;
  process.env.EDI_UI_RUN = mkdtempSync(path.join(os.tmpdir(), 'edi-ui-'));
  mkdirSync(path.join(process.env.EDI_UI_RUN, 'runtime'), { mode: 0o700 });
}
const run = process.env.EDI_UI_RUN;
const port = process.env.EDI_UI_PORT;
const securePort = process.env.EDI_UI_SECURE_PORT;

const venv = path.join(__dirname, '..', '.venv', 'bin');
const allowRoot = process.getuid?.() === 0 ? ' --allow-root' : '';

/** A JupyterLab that sees no settings of the person who runs the tests. */
function jupyterLab(config: string, name: string, url: string) {
  const home = path.join(run, name, 'jupyter');
  return {
    command: `jupyter lab --no-browser --config ${config}${allowRoot}`,
    cwd: __dirname,
    url,
    timeout: 120_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 20_000 },
    stdout: 'ignore' as const,
    stderr: process.env.EDI_UI_LOG ? ('pipe' as const) : ('ignore' as const),
    env: {
      ...(process.env as Record<string, string>),
      PATH: `${venv}${path.delimiter}${process.env.PATH}`,
      PYTHONPATH: __dirname,
      JUPYTER_CONFIG_DIR: path.join(home, 'config'),
      JUPYTER_DATA_DIR: path.join(home, 'data'),
      JUPYTER_RUNTIME_DIR: path.join(run, 'runtime', name),
      JUPYTERLAB_SETTINGS_DIR: path.join(home, 'settings')
    }
  };
}

export default defineConfig({
  ...base,
  testDir: './tests',
  globalTeardown: require.resolve('./teardown'),
  reporter: [['list']],
  // The tests share one server and what is deployed on it.
  workers: 1,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  // Playwright lists a test that passed only at the second try as flaky.
  retries: process.env.CI ? 2 : 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  use: {
    ...base.use,
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1280, height: 800 },
    // Both want Playwright's own ffmpeg.
    video: 'off',
    trace: 'retain-on-failure',
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
  },
  webServer: [
    jupyterLab(
      'jupyter_server_test_config.py',
      'open',
      `http://127.0.0.1:${port}/lab`
    ),
    jupyterLab(
      'secure_server_config.py',
      'secure',
      `http://127.0.0.1:${securePort}/api`
    )
  ]
});
