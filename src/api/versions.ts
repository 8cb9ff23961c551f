import type { ServerExtension } from './wire';

/** What to do about halves of different versions. */
export type VersionStep =
  /** Load the page again: the right front half is on the server's disk. */
  | 'reload'
  /** Restart Jupyter: the right server half is on its disk. */
  | 'restart'
  /** Install one half in the version of the other, then both of the above. */
  | 'install';

/** Front half and server half are of different versions. */
export interface IMismatch {
  readonly page: string;
  readonly server: string;
  /** The newer of both. */
  readonly newer: string;
  readonly step: VersionStep;
}

/**
 * Whether both halves belong together.
 *
 * @param page - Version of this page's half.
 * @returns null if they do, else what to do about it.
 */
export function versionMismatch(
  page: string,
  server: ServerExtension
): IMismatch | null {
  const { running, installed, frontend } = server;
  if (running === page) {
    return null;
  }
  const newer = isOlder(page, running) ? running : page;
  return { page, server: running, newer, step: step() };

  function step(): VersionStep {
    if (frontend === running) {
      return 'reload';
    }
    // Jupyter has been updated while it ran; the page may have been loaded since.
    const isUpdated = installed !== null && installed !== running;
    return isUpdated && installed === frontend ? 'restart' : 'install';
  }
}

/** Whether version `a` comes before version `b`, as PEP 440 orders releases. */
export function isOlder(a: string, b: string): boolean {
  const [x, y] = [a, b].map(sortKey);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) {
      return difference < 0;
    }
  }
  return false;
}

/** A version of npm as Python writes it: `0.2.0-alpha.1` is `0.2.0a1`. */
export function toPython(version: string): string {
  return version.replace(
    /-(alpha|beta|rc)\.?(\d+)$/,
    (_, word: string, number: string) =>
      `${word === 'rc' ? word : word[0]}${number}`
  );
}

/** Four numbers of the release, then the kind and the number of what precedes it. */
function sortKey(version: string): number[] {
  const [, release, kind, number] =
    /^(\d+(?:\.\d+)*)\.?(dev|a|b|rc)?(\d+)?/.exec(version) ?? [];
  const parts = (release ?? '').split('.').map(part => Number(part) || 0);
  const before = ['dev', 'a', 'b', 'rc'].indexOf(kind);
  return [
    ...[0, 1, 2, 3].map(i => parts[i] ?? 0),
    before < 0 ? 4 : before,
    Number(number) || 0
  ];
}
