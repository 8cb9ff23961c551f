import { aProfileView, trans } from '../../__tests__/fakes';
import type { ProfileDocument } from '../document';
import { fieldsOf } from '../fields';
import { ProfileSheet } from '../sheet';

function aSheet(change?: (profile: ProfileDocument) => void): ProfileSheet {
  const view = aProfileView();
  change?.(view.profile);
  return new ProfileSheet(view.profile, fieldsOf(view));
}

describe('fieldsOf', () => {
  const view = aProfileView();
  const fields = fieldsOf(view);
  const at = (path: string) => fields.find(field => field.path === path);

  it('takes everything from the schema of the server', () => {
    expect(at('policy.kernel_max')).toMatchObject({
      kind: 'whole',
      section: 'kernels',
      unlimited: -1
    });
    expect(at('policy.kernel_max')?.title).toBe('Kernels at most');
    expect(at('kernel.connection_timeout')).toMatchObject({
      kind: 'number',
      section: 'timeouts',
      unit: 's',
      minimum: 0,
      isOpen: true
    });
    expect(at('kernel.gpu')?.choices.map(({ value }) => value)).toEqual([
      'no',
      'shared',
      'exclusive'
    ]);
    expect(at('kernel.envs')?.kind).toBe('variables');
    expect(at('resource_allocation.kernel.resources')?.kind).toBe('resources');
    expect(at('security.ssl.enable')?.kind).toBe('flag');
    expect(at('name')?.kind).toBe('fact');
  });

  it('puts what few people change under Advanced', () => {
    expect(at('replica')?.section).toBe('advanced');
    expect(at('policy.schedule_interval')?.section).toBe('advanced');
  });

  it('marks what the EDI keeps and does not use', () => {
    expect(at('policy.kernel_max')?.isHonoured).toBe(false);
    expect(at('kernel.gpu')?.isHonoured).toBe(true);
    expect(at('name')?.isHonoured).toBe(true);
    // Of this text, one part.
    const resources = at('resource_allocation.kernel.resources');
    expect(resources?.isHonoured).toBe(true);
    expect(resources?.partsThatCount).toEqual(['mem']);
    const all = fieldsOf({ ...view, honoured: null });
    expect(all.every(({ isHonoured }) => isHonoured)).toBe(true);
  });

  it('leaves out what this EDI does not have', () => {
    const { profile, schema } = aProfileView();
    delete profile.security;
    delete (profile.policy as ProfileDocument).task_parallel_size;
    const paths = fieldsOf({ profile, schema, honoured: null }).map(
      ({ path }) => path
    );
    expect(paths).not.toContain('security.ssl.enable');
    expect(paths).not.toContain('policy.task_parallel_size');
  });

  it('only shows what is unknown, or not of the kind that it should be', () => {
    const { profile, schema } = aProfileView();
    profile.consumer = { plan: 'gold' };
    (profile.policy as ProfileDocument).kernel_min = 'many';
    const odd = fieldsOf({ profile, schema, honoured: [] });
    const kinds = Object.fromEntries(odd.map(({ path, kind }) => [path, kind]));
    expect(kinds['consumer.plan']).toBe('fact');
    expect(kinds['policy.kernel_min']).toBe('fact');
  });
});

describe('ProfileSheet', () => {
  it('counts only what differs from the saved profile', () => {
    const sheet = aSheet().with('kernel.gpu', 'shared');
    expect(sheet.edits).toEqual({ 'kernel.gpu': 'shared' });
    expect(sheet.with('kernel.gpu', 'no').isEdited).toBe(false);
  });

  it('writes only what was edited and keeps unknown fields', () => {
    const sheet = aSheet(profile => {
      profile.consumer = { plan: 'gold' };
    })
      .with('kernel.gpu', 'exclusive')
      .with('policy.task_execution_timeout', '-1')
      .with('kernel.envs', [{ name: 'A', value: '1' }]);
    const document = sheet.toDocument();
    expect(document).toEqual({
      ...sheet.document,
      policy: {
        ...(sheet.document.policy as object),
        task_execution_timeout: -1
      },
      kernel: {
        ...(sheet.document.kernel as object),
        gpu: 'exclusive',
        envs: [{ name: 'A', value: '1' }]
      }
    });
    expect(document.consumer).toEqual({ plan: 'gold' });
  });

  it('drops edits of a draft that make no sense any more', () => {
    const { document, fields } = aSheet();
    const sheet = new ProfileSheet(document, fields, {
      'kernel.gpu': true,
      'kernel.envs': [{ name: 'A' }],
      gone: '1',
      name: 'other',
      'policy.kernel_min': '2'
    });
    expect(sheet.edits).toEqual({ 'policy.kernel_min': '2' });
  });

  it.each([
    // Raising the least lifts the most; lowering the most lowers the least.
    ['1', '3', 'policy.kernel_min', '5', '5', '5'],
    ['2', '3', 'policy.kernel_max', '1', '1', '1'],
    ['1', '3', 'policy.kernel_min', '2', '2', '3'],
    ['1', '-1', 'policy.kernel_min', '9', '9', '-1'],
    ['1', '3', 'policy.kernel_min', 'x', 'x', '3'],
    ['2', '3', 'policy.kernel_max', '0', '2', '0']
  ])(
    'keeps %s to %s in order when %s becomes %s',
    (least, most, path, entry, newLeast, newMost) => {
      const sheet = aSheet(profile => {
        const policy = profile.policy as ProfileDocument;
        policy.kernel_min = Number(least);
        policy.kernel_max = Number(most);
      })
        .with(path, entry)
        .settle(path);
      expect(sheet.entryAt('policy.kernel_min')).toBe(newLeast);
      expect(sheet.entryAt('policy.kernel_max')).toBe(newMost);
    }
  );

  it.each([
    ['policy.kernel_min', '', /whole number from 0/],
    ['policy.kernel_min', '1.5', /whole number from 0/],
    ['policy.kernel_min', '1e2', /whole number from 0/],
    ['policy.kernel_min', '1001', /whole number from 0/],
    ['policy.kernel_min', '0', null],
    ['policy.kernel_max', '0', /-1 for no limit/],
    ['policy.kernel_max', '-2', /-1 for no limit/],
    ['policy.kernel_max', '-1', null],
    ['policy.task_execution_timeout', '-0.5', /-1 for no limit/],
    ['policy.task_execution_timeout', '0.5', null],
    ['kernel.connection_timeout', '0', /above 0/],
    ['kernel.connection_timeout', '0.1', null],
    ['kernel.umask', '888', /octal/],
    ['kernel.umask', '027', null],
    ['resource_allocation.kernel.resources', 'cpus=1', /not known/]
  ])('judges %s = %j', (path, entry, expected) => {
    const faults = aSheet().with(path, entry).faults(trans);
    if (expected === null) {
      expect([...faults]).toEqual([]);
    } else {
      expect(faults.get(path)).toMatch(expected);
    }
  });

  it('judges each variable', () => {
    const faults = aSheet()
      .with('kernel.envs', [
        { name: '', value: '' },
        { name: 'A=B', value: '' },
        { name: 'MSD_X', value: '' },
        { name: 'C', value: '' },
        { name: 'C', value: '' }
      ])
      .faults(trans);
    expect([...faults.keys()]).toEqual(
      [0, 1, 2, 4].map(index => `kernel.envs.${index}.name`)
    );
  });

  it('finds no fault with what the service itself has', () => {
    const sheet = aSheet(profile => {
      (profile.policy as ProfileDocument).kernel_min = 100_000;
    }).with('kernel.gpu', 'shared');
    expect([...sheet.faults(trans)]).toEqual([]);
  });
});
