import { VERSION } from '../../version';
import { isOlder, toPython, versionMismatch } from '../versions';

describe('versionMismatch', () => {
  const server = (
    running: string,
    installed: string | null = running,
    frontend: string | null = running
  ) => ({ running, installed, frontend });

  it('is none when both halves are of one version', () => {
    expect(versionMismatch('0.2.0', server('0.2.0'))).toBeNull();
    // What lies on the disk matters only after a restart.
    expect(versionMismatch('0.2.0', server('0.2.0', '0.3.0'))).toBeNull();
  });

  it('asks to reload a page from before the last restart', () => {
    expect(versionMismatch('0.1.0', server('0.2.0'))).toEqual({
      page: '0.1.0',
      server: '0.2.0',
      newer: '0.2.0',
      step: 'reload'
    });
  });

  it('asks to restart a server from before the last update', () => {
    const after = server('0.1.0', '0.2.0', '0.2.0');
    expect(versionMismatch('0.2.0', after)?.step).toBe('restart');
    // The page may be even older than both.
    expect(versionMismatch('0.0.9', after)?.step).toBe('restart');
  });

  it.each([
    ['whose halves come from two places', server('0.1.0', '0.1.0', '0.2.0')],
    ['that names no versions of its disk', server('0.1.0', null, null)]
  ])('asks to install again on a server %s', (_, found) => {
    expect(versionMismatch('0.2.0', found)).toMatchObject({
      step: 'install',
      newer: '0.2.0'
    });
  });
});

describe('isOlder', () => {
  const order = [
    '0.1.0.dev1',
    '0.1.0a1',
    '0.1.0a2',
    '0.1.0b1',
    '0.1.0rc1',
    '0.1.0',
    '0.1.1',
    '0.2.0',
    '0.10.0',
    '1.0.0'
  ];

  it.each(order.slice(1).map((version, index) => [order[index], version]))(
    'puts %s before %s',
    (a, b) => {
      expect(isOlder(a, b)).toBe(true);
      expect(isOlder(b, a)).toBe(false);
    }
  );

  it('takes a missing part for zero', () => {
    expect(isOlder('1.0', '1.0.0')).toBe(false);
    expect(isOlder('1', '1.0.1')).toBe(true);
  });
});

it.each([
  ['1.2.3', '1.2.3'],
  ['0.2.0-alpha.1', '0.2.0a1'],
  ['0.2.0-beta.12', '0.2.0b12'],
  ['0.2.0-rc.0', '0.2.0rc0']
])('npm’s %s is Python’s %s', (npm, python) => {
  expect(toPython(npm)).toBe(python);
});

it('knows the version of this page', () => {
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
});
