import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';

import { expect } from '@playwright/test';

const UI_TESTS = path.join(__dirname, '..');
const VENV = path.join(UI_TESTS, '..', '.venv', 'bin');

/** How long a server may take to end before it is killed; in milliseconds. */
const GRACE = 20_000;

/** The configurations in this folder: galata's, and JupyterLab as people have it. */
export type ServerKind = 'open' | 'secure';

const CONFIG = {
  open: 'jupyter_server_test_config.py',
  secure: 'secure_server_config.py'
};

/**
 * A JupyterLab with folders, store and port of its own, which sees no settings
 * of the person who runs the tests.
 */
export class LabServer {
  private constructor(
    /** Address with a slash at the end, as the server itself tells it. */
    readonly url: string,
    /** Token for the API; `''` where the server asks for none. */
    readonly token: string,
    private readonly folder: string,
    private readonly process: ChildProcess
  ) {}

  /** Store of the engine that this server starts. */
  get store(): string {
    return path.join(this.folder, 'store');
  }

  /** Start a server and wait until it answers. */
  static async start(
    kind: ServerKind,
    environment: Record<string, string> = {}
  ): Promise<LabServer> {
    const folder = mkdtempSync(path.join(os.tmpdir(), `edi-ui-${kind}-`));
    const jupyter = path.join(folder, 'jupyter');
    const runtime = path.join(jupyter, 'runtime');
    const root = process.getuid?.() === 0 ? ['--allow-root'] : [];
    const server = spawn(
      path.join(VENV, 'jupyter'),
      ['lab', '--no-browser', '--config', CONFIG[kind], ...root],
      {
        cwd: UI_TESTS,
        stdio: process.env.EDI_UI_LOG ? 'inherit' : 'ignore',
        env: {
          ...process.env,
          PATH: `${VENV}${path.delimiter}${process.env.PATH}`,
          PYTHONPATH: UI_TESTS,
          JUPYTER_CONFIG_DIR: path.join(jupyter, 'config'),
          JUPYTER_DATA_DIR: path.join(jupyter, 'data'),
          JUPYTER_RUNTIME_DIR: runtime,
          JUPYTERLAB_SETTINGS_DIR: path.join(jupyter, 'settings'),
          EDI_UI_FOLDER: folder,
          EDI_UI_PORT: String(await freePort()),
          ...environment
        }
      }
    );
    let told = { url: '', token: '' };
    await expect(async () => {
      expect(server.exitCode, 'the server ended').toBeNull();
      told = readRuntimeFile(runtime);
      const answer = await fetch(`${told.url}api`);
      expect(answer.status).toBe(200);
    }).toPass({ timeout: 120_000, intervals: [100] });
    return new LabServer(told.url, told.token, folder, server);
  }

  /** End the server, and with it its engine, and remove what they wrote. */
  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      const impatience = setTimeout(() => this.process.kill('SIGKILL'), GRACE);
      await ended;
      clearTimeout(impatience);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function readRuntimeFile(folder: string): { url: string; token: string } {
  const file = readdirSync(folder).find(name => /^jpserver-.*json$/.test(name));
  return JSON.parse(readFileSync(path.join(folder, file ?? ''), 'utf8'));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
