import { act, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import {
  aFinding,
  anInspection,
  FakeClient,
  trans
} from '../../__tests__/fakes';
import type { FindingInfo, Inspection } from '../../api/wire';
import { EdiError } from '../../api/errors';
import { Findings } from '../findings';
import { useInspection } from '../useInspection';

const PATH = 'examples/faulty';

function Checked(props: { client: FakeClient }): JSX.Element | null {
  const inspected = useInspection(props.client, PATH, null);
  return inspected.look.kind === 'seen' ? (
    <Findings
      inspection={inspected.look.inspection}
      inspected={inspected}
      trans={trans}
    />
  ) : null;
}

/** A finding that a fix of the same name does away with. */
function mendable(id: string, more: Partial<FindingInfo> = {}): FindingInfo {
  const fix = { id, title: `Mend ${id}`, description: `Writes ${id}.` };
  return aFinding(`${id} is wrong.`, { fix, ...more });
}

describe('the findings', () => {
  let client: FakeClient;
  let findings: FindingInfo[];

  const inspection = (): Inspection => anInspection({ path: PATH, findings });

  beforeEach(() => {
    client = new FakeClient();
    findings = [];
    client.inspect.mockImplementation(async () => inspection());
    client.fix.mockImplementation(async (_path, id) => {
      findings = findings.filter(({ fix }) => fix?.id !== id);
      return inspection();
    });
  });

  const show = async (...wrong: FindingInfo[]): Promise<void> => {
    findings = wrong;
    await act(async () => {
      render(<Checked client={client} />);
    });
  };
  const button = (name: string): HTMLElement =>
    screen.getByRole('button', { name });
  const press = async (name: string): Promise<void> => {
    button(name).focus();
    await act(async () => {
      fireEvent.click(button(name));
    });
  };
  /** What the findings come to; the other status says when they are looked for. */
  const summary = (): HTMLElement => screen.getAllByRole('status')[0];
  const checking = (): string | null =>
    screen.getAllByRole('status')[1].textContent;
  const focused = (): string | null | undefined =>
    document.activeElement?.getAttribute('aria-label') ??
    document.activeElement?.textContent;

  it('say where, what, why and what to do', async () => {
    await show(
      aFinding('There is no answer.', {
        line: 20,
        column: 9,
        why: 'The caller waits.',
        hint: 'Write one.'
      }),
      aFinding('It is too large.', { file: null, line: null, column: null })
    );
    const [first, second] = screen.getAllByRole('listitem');
    expect(first.textContent).toBe(
      'Error kernel.py:20:9 There is no answer.The caller waits.Write one.'
    );
    expect(second.textContent).toBe('Error It is too large.');
  });

  it('show errors before warnings', async () => {
    await show(
      mendable('a', { severity: 'warning' }),
      mendable('b'),
      mendable('c', { severity: 'warning' }),
      mendable('d')
    );
    expect(
      screen
        .getAllByRole('button', { name: /Fix/ })
        .map(b => b.ariaLabel ?? b.getAttribute('aria-label'))
    ).toEqual(['Fix: Mend b', 'Fix: Mend d', 'Fix: Mend a', 'Fix: Mend c']);
  });

  it('are mended one by one, and the focus goes on', async () => {
    await show(mendable('a'), mendable('b'), aFinding('no fix'), mendable('c'));

    await press('Fix: Mend b');
    expect(client.fix).toHaveBeenLastCalledWith(PATH, 'b', null);
    expect(focused()).toBe('Fix: Mend c');
    expect(summary().textContent).toContain('3 problems');

    await press('Fix: Mend c');
    expect(focused()).toBe('Fix: Mend a');
    await press('Fix: Mend a');
    expect(focused()).toContain('1 problem to mend first');
  });

  it('say when nothing is left', async () => {
    await show(mendable('a'));
    await press('Fix: Mend a');
    expect(screen.queryByRole('list')).toBeNull();
    expect(focused()).toBe('The checks have found nothing to mend.');
  });

  it('are looked at again when the folder has changed meanwhile', async () => {
    await show(mendable('a'), mendable('b'));
    client.fix.mockImplementationOnce(async () => {
      findings = [mendable('b')];
      throw new EdiError({
        code: 'changed_since_check',
        message: 'kernel.py has changed since it was checked.',
        hint: 'Look at the findings as they are now.'
      });
    });
    await press('Fix: Mend a');
    expect(screen.getByRole('alert').textContent).toBe(
      'kernel.py has changed since it was checked. Look at the findings as they are now.'
    );
    expect(client.inspect).toHaveBeenCalledTimes(2);
    expect(screen.getAllByRole('listitem')).toHaveLength(1);

    await press('Fix: Mend b');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('take one fix at a time', async () => {
    await show(mendable('a'), mendable('b'));
    let answer: (value: Inspection) => void = () => undefined;
    client.fix.mockImplementationOnce(
      () => new Promise(resolve => (answer = resolve))
    );
    await press('Fix: Mend a');
    expect(button('Fix: Mend b').getAttribute('aria-disabled')).toBe('true');
    expect(checking()).toBe('Checking…');
    await press('Fix: Mend b');
    expect(client.fix).toHaveBeenCalledTimes(1);
    // A button that cannot be pressed now keeps the focus all the same.
    expect(focused()).toBe('Fix: Mend b');
    findings = [mendable('b')];
    await act(async () => answer(inspection()));
    expect(checking()).toBe('');
    expect(button('Fix: Mend b').getAttribute('aria-disabled')).toBe('false');
  });

  it('can be looked for again', async () => {
    await show(mendable('a'));
    findings = [];
    await press('Check again');
    expect(summary().textContent).toContain('nothing to mend');
  });

  describe('of a folder that is no submission yet', () => {
    const missing = (file: string, more: Partial<FindingInfo> = {}) =>
      mendable(file, { code: 'missing-file', file, line: null, ...more });

    it('are mended with one button, each with the fix of its time', async () => {
      await show(missing('model.json'), missing('README.md'));
      client.fix.mockImplementationOnce(async () => {
        const { fix } = mendable('later');
        findings = [missing('README.md', { fix })];
        return inspection();
      });
      expect(summary().textContent).toBe('Not a submission yet');
      await press('Create the missing files');
      expect(client.fix.mock.calls).toEqual([
        [PATH, 'model.json', null],
        [PATH, 'later', null]
      ]);
      expect(screen.queryByText('Not a submission yet')).toBeNull();
    });

    it('offer no button when no fix is known', async () => {
      await show(missing('model.json', { fix: null }));
      expect(screen.getByText(/A submission is a folder/)).toBeTruthy();
      expect(
        screen.queryByRole('button', { name: 'Create the missing files' })
      ).toBeNull();
    });

    it('stop when a fix makes nothing', async () => {
      await show(missing('model.json'));
      client.fix.mockImplementation(async () => inspection());
      await press('Create the missing files');
      expect(client.fix).toHaveBeenCalledTimes(1);
    });
  });
});
