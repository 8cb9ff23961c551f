import type { IEdiClient } from '../api/client';
import type {
  EnvironmentInfo,
  ErrorInfo,
  Info,
  ServerExtension,
  UnsafePackage
} from '../api/wire';

/** The environments that the server can reach, and the one that is shown. */
export class Environments {
  constructor(client: IEdiClient) {
    this._client = client;
  }

  /** Local first; empty until the server has named them. */
  get all(): readonly EnvironmentInfo[] {
    return this._info?.environments ?? [];
  }

  /** Versions of the server half; null until it has named them. */
  get server(): ServerExtension | null {
    if (this._info === null) {
      return null;
    }
    const { server_extension, version } = this._info;
    // The first version told no more than this.
    const none = { installed: null, frontend: null };
    return server_extension ?? { running: version, ...none };
  }

  /** Whether the server has a token of its own, as in Watson Studio. */
  get hasToken(): boolean {
    return this._info?.token_available ?? false;
  }

  /** What the server runs that has known security faults. */
  get unsafe(): readonly UnsafePackage[] {
    return this._info?.unsafe_packages ?? [];
  }

  /** Why stored environments are missing; null when they are not. */
  get problem(): ErrorInfo | null {
    return this._info?.environments_problem ?? null;
  }

  /** The wanted one if it exists, else the usual one, else the first. */
  get current(): EnvironmentInfo | null {
    const named = (id?: string | null): EnvironmentInfo | undefined =>
      this.all.find(known => known.id === id);
    return (
      named(this._wanted) ??
      named(this._info?.default_environment) ??
      this.all[0] ??
      null
    );
  }

  /** Know what a change has answered. */
  adopt(info: Info): void {
    this._info = info;
    this._isOld = false;
  }

  /** Show the environment of this id, as soon as it is known. */
  want(id: string): void {
    this._wanted = id;
  }

  /**
   * Ask for the environments, unless they are known.
   *
   * @returns whether the server was asked.
   * @throws EdiError - when the server cannot be asked.
   */
  async load(): Promise<boolean> {
    if (this._info !== null && !this._isOld) {
      return false;
    }
    this._info = await this._client.info();
    this._isOld = false;
    return true;
  }

  /** Ask again next time: after an outage it may be another server. */
  expire(): void {
    this._isOld = true;
  }

  private readonly _client: IEdiClient;
  private _info: Info | null = null;
  private _wanted: string | null = null;
  private _isOld = false;
}
