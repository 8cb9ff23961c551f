import { type ChildProcess, spawn } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';

const SCRIPT = path.join(__dirname, '../../tests/support/misbehaving_edi.py');
const PYTHON = path.join(__dirname, '../../.venv/bin/python');

type Order = Record<string, unknown>;

/** An EDI that misbehaves in every known way: a process of its own, which takes orders. */
export class MisbehavingEdi {
  private constructor(
    private readonly _process: ChildProcess,
    private readonly _answers: AsyncIterator<string>,
    /** Host and port. */
    readonly host: string
  ) {}

  static async start(): Promise<MisbehavingEdi> {
    const process = spawn(PYTHON, ['-S', '-E', SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {}
    });
    const answers = createInterface({ input: process.stdout })[
      Symbol.asyncIterator
    ]();
    const { value } = await answers.next();
    const { port } = JSON.parse(value as string) as { port: number };
    return new MisbehavingEdi(process, answers, `127.0.0.1:${port}`);
  }

  get url(): string {
    return `http://${this.host}/dlim/v1/`;
  }

  /** Go wrong in this way until {@link heal}. */
  async fault(kind: string, more: Order = {}): Promise<void> {
    const every = { method: '*', path: '.*', times: 1_000_000 };
    await this._order('fault', { kind, ...every, ...more });
  }

  async heal(): Promise<void> {
    await this._order('heal');
  }

  /** Take these tokens from now on, and no others. */
  async accept(...tokens: string[]): Promise<void> {
    await this._order('tokens', { tokens });
  }

  async add(name: string, state: 'enabled' | 'disabled'): Promise<void> {
    await this._order('add', { name, state });
  }

  stop(): void {
    this._process.kill('SIGKILL');
  }

  private async _order(what: string, more: Order = {}): Promise<unknown> {
    this._process.stdin?.write(`${JSON.stringify({ do: what, ...more })}\n`);
    const { value } = await this._answers.next();
    return JSON.parse(value as string);
  }
}
