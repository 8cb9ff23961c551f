import { mockFacade } from './facade';
import { expect, type IJupyterLabPageFixture, test } from './lab';
import { PanelPage } from './panelPage';
import { picture } from './shots';

interface IFinding {
  code: string;
  severity: 'error' | 'warning';
  file: string | null;
  line: number | null;
  column: number | null;
  message: string;
  why: string;
  hint: string | null;
  fix: { id: string; title: string; description: string } | null;
}

function finding(message: string, more: Partial<IFinding> = {}): IFinding {
  return {
    code: 'kernel-hook-misspelt',
    severity: 'error',
    file: 'kernel.py',
    line: 10,
    column: 5,
    message,
    why: '',
    hint: null,
    fix: null,
    ...more
  };
}

const NAME = finding("'Faulty Digits' is not a deployment name.", {
  code: 'invalid-name',
  file: 'model.json',
  line: 2,
  column: 11,
  why: 'The name becomes a part of the service’s URL and of the names of its pods.',
  fix: {
    id: 'name',
    title: "Set name to 'faulty-digits'",
    description: 'Writes name in model.json.'
  }
});
const HOOK = finding(
  'EDI has no hook on_kernal_start; on_kernel_start is probably meant.',
  {
    why: 'EDI calls hooks by name, so this method is never called.',
    fix: {
      id: 'hook',
      title: 'Rename to on_kernel_start',
      description: 'Line 10: on_kernal_start becomes on_kernel_start.'
    }
  }
);
const ANSWER = finding('After this exception the request gets no answer.', {
  code: 'kernel-no-answer',
  severity: 'warning',
  line: 20,
  column: 9,
  why: 'A request without an answer fails or waits for its timeout, and its caller does not learn why.',
  hint: 'Call set_output_data with a text that says what was wrong, or raise.'
});
const SAMPLE = finding('README.md shows no sample request.', {
  code: 'readme-no-sample',
  severity: 'warning',
  file: 'README.md',
  line: 22,
  column: 1,
  why: 'The panel’s test form starts with the first json block of README.md.',
  hint: 'Add a block that starts with ```json and holds one request.'
});
const missing = (file: string): IFinding =>
  finding(`${file} is not at the top of the folder.`, {
    code: 'missing-file',
    file,
    line: null,
    column: null,
    why: 'EDI refuses a folder without it.',
    fix: {
      id: file,
      title: `Write ${file}`,
      description: 'A new file that names the kernel file.'
    }
  });

const RUNTIMES = [
  {
    type: 'python',
    title: 'Python',
    description: 'The engine’s own Python 3.11.',
    source: 'engine',
    note: ''
  },
  {
    type: 'ml-env',
    title: 'Python 3 (ml-env)',
    description: 'Python 3.12.',
    source: 'kernelspec',
    note: ''
  },
  {
    type: 'dlipy3',
    title: 'dlipy3',
    description: '',
    source: 'engine',
    note: 'A name of WMLA’s; here the engine’s own Python 3.11.'
  }
];

/** A folder whose findings go away one by one as their fixes are applied. */
async function mockFolder(
  page: IJupyterLabPageFixture,
  findings: IFinding[]
): Promise<void> {
  let left = findings;
  const inspection = (): object => ({
    path: 'examples/digits',
    name: left.includes(NAME) ? null : 'faulty-digits',
    own_name: left.includes(NAME) ? null : 'faulty-digits',
    proposed_name: 'faulty-digits',
    kernel_path: 'kernel.py',
    runtime: 'python',
    files: [{ path: 'kernel.py', size: 1200 }],
    file_count: 1,
    total_size: 1200,
    ignored: [],
    problems: [],
    findings: left
  });
  await mockFacade(page, { runtimes: RUNTIMES });
  await page.route(/\/submissions\/inspect(\?|$)/, route =>
    route.fulfill({ json: inspection() })
  );
  await page.route(/\/submissions\/fix(\?|$)/, route => {
    const { fix } = route.request().postDataJSON() as { fix: string };
    left = left.filter(found => found.fix?.id !== fix);
    return route.fulfill({ json: inspection() });
  });
}

async function openDialog(page: IJupyterLabPageFixture): Promise<PanelPage> {
  const edi = new PanelPage(page);
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory('examples');
  await edi.deployFolder('digits');
  return edi;
}

test('each finding has place, reason and fix; errors block', async ({
  page
}) => {
  await mockFolder(page, [NAME, HOOK, ANSWER, SAMPLE]);
  await page.goto();
  const edi = await openDialog(page);
  const deploy = edi.dialog.getByRole('button', {
    name: 'Deploy',
    exact: true
  });

  const items = edi.dialog
    .getByRole('list', { name: 'Findings' })
    .getByRole('listitem');
  await expect(items).toHaveCount(4);
  await expect(items.first()).toContainText('model.json:2:11');
  await expect(deploy).toBeDisabled();
  await picture(page, 'checks-light');
  await page.theme.setDarkTheme();
  await picture(page, 'checks-dark');

  // Enter presses the button and leaves the dialog open; the focus goes on.
  const fix = (title: string) =>
    edi.dialog.getByRole('button', { name: `Fix: ${title}` });
  await fix("Set name to 'faulty-digits'").press('Enter');
  await expect(items).toHaveCount(3);
  await expect(edi.dialog.getByLabel('Name', { exact: true })).toHaveValue(
    'faulty-digits'
  );
  await expect(fix('Rename to on_kernel_start')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(items).toHaveCount(2);
  await expect(
    edi.dialog.getByText('2 warnings; it can be deployed as it is')
  ).toBeFocused();

  // Warnings do not block.
  await expect(deploy).toBeEnabled();
  await picture(page, 'checks-warnings');
});

test('offers to make a submission of a folder', async ({ page }) => {
  await mockFolder(page, [missing('model.json'), missing('README.md')]);
  await page.goto();
  const edi = await openDialog(page);

  await expect(edi.dialog.getByText('Not a submission yet')).toBeVisible();
  await picture(page, 'checks-new');
  await edi.dialog
    .getByRole('button', { name: 'Create the missing files' })
    .click();
  await expect(
    edi.dialog.getByText('The checks have found nothing to mend.')
  ).toBeFocused();
  await expect(
    edi.dialog.getByRole('button', { name: 'Deploy', exact: true })
  ).toBeEnabled();
  await picture(page, 'checks-clean');
});

test('sends the chosen runtime', async ({ page }) => {
  await mockFolder(page, []);
  await page.goto();
  const edi = await openDialog(page);

  await edi.dialog.getByLabel('Runtime').selectOption('dlipy3');
  await expect(edi.dialog.getByText('A name of WMLA’s')).toBeVisible();
  const sent = page.waitForRequest(
    request =>
      request.method() === 'POST' && /\/deployments(\?|$)/.test(request.url())
  );
  await edi.confirm('Deploy');
  expect((await sent).postDataJSON()).toMatchObject({ runtime: 'dlipy3' });
});

test('fits a narrow window', async ({ page }) => {
  await mockFolder(page, [NAME, HOOK, ANSWER, SAMPLE]);
  await page.goto();
  const edi = await openDialog(page);
  await page.setViewportSize({ width: 480, height: 700 });
  await expect(
    edi.dialog.getByRole('button', { name: 'Deploy', exact: true })
  ).toBeInViewport();
  const overflow = await edi.dialog
    .getByRole('region', { name: 'Checks' })
    .evaluate(part => part.scrollWidth - part.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await picture(page, 'checks-narrow');
});
