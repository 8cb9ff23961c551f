import type { FieldProblem } from '../api/wire';
import type { Faults } from './entries';

/**
 * Which faults a person sees: those of fields that they have finished with, all
 * after they have tried to save, and what the server has said.
 */
export class FaultDisplay {
  /** Whether the person has tried to save what has faults. */
  get isReviewed(): boolean {
    return this._isReviewed;
  }

  /** Grows with each try to save that has found faults. */
  get attempts(): number {
    return this._attempts;
  }

  /** The faults that show, by path, of all that there are. */
  shown(all: Faults): Faults {
    const fields = [...this._settled];
    const shown = [...all].filter(
      ([path]) =>
        this._isReviewed ||
        fields.some(field => path === field || path.startsWith(`${field}.`))
    );
    return new Map([...shown, ...this._problems]);
  }

  /** The person has finished with a field. */
  settle(path: string): void {
    this._settled.add(path);
  }

  /** The person tries to save; what the server has said before is over. */
  review(): void {
    this._problems.clear();
    this._isReviewed = true;
  }

  /** The try has found faults. */
  fail(): void {
    this._attempts += 1;
  }

  /** The server has found faults. */
  take(problems: readonly FieldProblem[]): void {
    this._problems = new Map(
      problems.map(({ field, message }) => [field, message])
    );
    this._isReviewed = true;
    this.fail();
  }

  /** The field has been changed: what the server has said of it is over. */
  forget(path: string): void {
    for (const problem of [...this._problems.keys()]) {
      if (problem === path || problem.startsWith(`${path}.`)) {
        this._problems.delete(problem);
      }
    }
  }

  /** Start anew. */
  clear(): void {
    this._problems.clear();
    this._settled.clear();
    this._isReviewed = false;
  }

  private readonly _settled = new Set<string>();
  private _problems = new Map<string, string>();
  private _isReviewed = false;
  private _attempts = 0;
}
