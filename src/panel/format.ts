import type { TranslationBundle } from '@jupyterlab/translation';

/** Bytes with a decimal unit: 999 B, 1.2 kB, 3.4 MB. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  // 999.95 would be printed as 1000.0.
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** Milliseconds as people read them: 0.8 ms, 12 ms, 1.24 s. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 10) {
    return `${milliseconds.toFixed(1)} ms`;
  }
  if (milliseconds < 1000) {
    return `${Math.round(milliseconds)} ms`;
  }
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Unix seconds as local date and time; a dash for "never". */
export function formatTime(seconds: number, trans: TranslationBundle): string {
  if (!(seconds > 0)) {
    return trans.__('never');
  }
  return new Date(seconds * 1000).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'short'
  });
}

/** A span of milliseconds in the one unit that says enough: 40 s, 3 min, 2 h. */
export function formatSpan(
  milliseconds: number,
  trans: TranslationBundle
): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) {
    return trans.__('%1 s', seconds);
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return trans.__('%1 min', minutes);
  }
  const hours = Math.round(minutes / 60);
  return hours < 48
    ? trans.__('%1 h', hours)
    : trans._n('%1 day', '%1 days', Math.round(hours / 24));
}

/** How long ago something was: 3 min ago. */
export function formatAge(
  milliseconds: number,
  trans: TranslationBundle
): string {
  return milliseconds < 5_000
    ? trans.__('just now')
    : trans.__('%1 ago', formatSpan(milliseconds, trans));
}
