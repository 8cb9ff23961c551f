import { StateDB } from '@jupyterlab/statedb';

import { Drafts } from '../drafts';

const KEY = 'edi_labext:payloads';

describe('Drafts', () => {
  it('keeps one payload a deployment', async () => {
    const database = new StateDB();
    const drafts = new Drafts(database);
    await drafts.set('local', 'a', '1');
    await drafts.set('wmla', 'a', '2');
    const later = new Drafts(database);
    expect(await later.get('local', 'a')).toBe('1');
    expect(await later.get('wmla', 'a')).toBe('2');
    expect(await later.get('local', 'b')).toBeNull();
  });

  it('remembers a large payload for this page only', async () => {
    const database = new StateDB();
    const large = 'x'.repeat(70_000);
    const drafts = new Drafts(database);
    await drafts.set('local', 'a', large);
    expect(await drafts.get('local', 'a')).toBe(large);
    expect(await database.fetch(KEY)).toEqual({});
  });

  it('forgets the oldest of many', async () => {
    const database = new StateDB();
    const drafts = new Drafts(database);
    for (let index = 0; index < 60; index++) {
      await drafts.set('local', `m${index}`, 'x');
    }
    const saved = (await database.fetch(KEY)) as object;
    expect(Object.keys(saved)).toHaveLength(50);
    expect(Object.keys(saved)).not.toContain('local/m0');
  });

  it('works without a database, and with one that holds nonsense', async () => {
    const alone = new Drafts(null);
    await alone.set('local', 'a', '1');
    expect(await alone.get('local', 'a')).toBe('1');
    const database = new StateDB();
    await database.save(KEY, { 'local/a': 7 });
    expect(await new Drafts(database).get('local', 'a')).toBeNull();
  });
});
