import type { IRow, IRowSources } from './rows';
import { keepEqual, toRows } from './rows';

/** The lines of the list, made when they are asked for and kept until outdated. */
export class RowList {
  constructor(sources: () => Omit<IRowSources, 'dismissed'> | null) {
    this._sources = sources;
  }

  get all(): readonly IRow[] {
    if (this._isOutdated) {
      const sources = this._sources();
      this._rows = sources
        ? keepEqual(
            this._rows,
            toRows({ ...sources, dismissed: this._dismissed })
          )
        : [];
      this._isOutdated = false;
    }
    return this._rows;
  }

  /** What the lines are made of has changed. */
  outdate(): void {
    this._isOutdated = true;
  }

  /** No longer show the failed deploy job. */
  dismiss(id: string): void {
    this._dismissed.add(id);
    this.outdate();
  }

  private readonly _sources: () => Omit<IRowSources, 'dismissed'> | null;
  private readonly _dismissed = new Set<string>();
  private _rows: readonly IRow[] = [];
  private _isOutdated = true;
}
