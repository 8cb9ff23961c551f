import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

import { mockFacade } from './facade';
import { PanelPage } from './panelPage';

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

export const NAME = finding("'Faulty Digits' is not a deployment name.", {
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
export const HOOK = finding(
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
export const ANSWER = finding(
  'After this exception the request gets no answer.',
  {
    code: 'kernel-no-answer',
    severity: 'warning',
    line: 20,
    column: 9,
    why: 'A request without an answer fails or waits for its timeout, and its caller does not learn why.',
    hint: 'Call set_output_data with a text that says what was wrong, or raise.'
  }
);
export const SAMPLE = finding('README.md shows no sample request.', {
  code: 'readme-no-sample',
  severity: 'warning',
  file: 'README.md',
  line: 22,
  column: 1,
  why: 'The panel’s test form starts with the first json block of README.md.',
  hint: 'Add a block that starts with ```json and holds one request.'
});
export const missing = (file: string): IFinding =>
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
async function mockAnswers(
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

/** Open the deploy dialog for a folder with these findings. */
export async function mockFolder(
  page: IJupyterLabPageFixture,
  findings: IFinding[]
): Promise<PanelPage> {
  await mockAnswers(page, findings);
  const edi = new PanelPage(page);
  // The environments are those of the mocked server.
  await edi.open();
  await edi.refresh();
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory('examples');
  await edi.deployFolder('digits');
  return edi;
}
