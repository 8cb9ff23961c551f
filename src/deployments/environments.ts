import type { IEdiClient } from '../api/client';
import type { EnvironmentInfo } from '../api/wire';

/** The environments that the server can reach, and the one that is shown. */
export class Environments {
  constructor(client: IEdiClient) {
    this._client = client;
  }

  /** Local first; empty until the server has named them. */
  get all(): readonly EnvironmentInfo[] {
    return this._known ?? [];
  }

  /** The wanted one if it exists, else the first. */
  get current(): EnvironmentInfo | null {
    const wanted = this.all.find(({ id }) => id === this._wanted);
    return wanted ?? this.all[0] ?? null;
  }

  /** Show the environment of this id, as soon as it is known. */
  want(id: string): void {
    this._wanted = id;
  }

  /**
   * Ask for the environments, unless they are known.
   *
   * @throws EdiError - when the server cannot be asked.
   */
  async load(): Promise<void> {
    if (this._known === null || this._isOld) {
      this._known = (await this._client.info()).environments;
      this._isOld = false;
    }
  }

  /** Ask again next time: after an outage it may be another server. */
  expire(): void {
    this._isOld = true;
  }

  private readonly _client: IEdiClient;
  private _known: readonly EnvironmentInfo[] | null = null;
  private _wanted: string | null = null;
  private _isOld = false;
}
