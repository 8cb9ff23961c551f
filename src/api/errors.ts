import type { ErrorInfo, FieldProblem } from './wire';

/**
 * Codes of failures that the browser itself finds; all other codes come from
 * the server.
 *
 * - `not_installed`: the server half of edi_labext is not enabled;
 * - `unreachable`: the Jupyter server did not answer;
 * - `signed_out`: the Jupyter server refused the session;
 * - `bad_answer`: the answer is not one of ours;
 * - `cancelled`: the person cancelled; an outcome of its own, not a failure;
 * - `job_lost`: the Jupyter server no longer knows the job;
 * - `other_drive`: the folder is on a drive that has no files on disk.
 */
export type BrowserErrorCode =
  | 'not_installed'
  | 'unreachable'
  | 'signed_out'
  | 'bad_answer'
  | 'cancelled'
  | 'job_lost'
  | 'other_drive';

/** What happened, and what to do next. */
export class EdiError extends Error {
  constructor(options: EdiError.IOptions) {
    super(options.message);
    this.name = 'EdiError';
    this.code = options.code;
    this.hint = options.hint ?? null;
    this.detail = options.detail ?? null;
    this.field = options.field ?? null;
    this.fields = options.fields ?? null;
    this.requestId = options.requestId ?? null;
    this.status = options.status ?? null;
  }

  /** Stable identifier, for programs. */
  readonly code: string;
  /** The next step, one sentence. */
  readonly hint: string | null;
  /** Longer plain text, shown on demand. */
  readonly detail: string | null;
  /** The input field that is wrong. */
  readonly field: string | null;
  /** All fields of a document that are wrong. */
  readonly fields: readonly FieldProblem[] | null;
  /** Identifies the request in the server's log. */
  readonly requestId: string | null;
  /** HTTP status of the answer; null when there was none. */
  readonly status: number | null;

  /** Whether the person cancelled the action. */
  get isCancelled(): boolean {
    return this.code === 'cancelled';
  }

  /** The error that the server reports inside an answer or a job. */
  static fromInfo(info: ErrorInfo): EdiError {
    return new EdiError(info);
  }

  /** Whatever was thrown, as one of ours. */
  static from(reason: unknown): EdiError {
    if (reason instanceof EdiError) {
      return reason;
    }
    const message = reason instanceof Error ? reason.message : String(reason);
    return new EdiError({ code: 'error', message });
  }
}

export namespace EdiError {
  export interface IOptions {
    code: string;
    message: string;
    hint?: string | null;
    detail?: string | null;
    field?: string | null;
    fields?: readonly FieldProblem[] | null;
    requestId?: string | null;
    status?: number | null;
  }
}
