import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { EdiError } from '../api/errors';
import type { SampleSource } from '../api/wire';
import { showEdiError } from '../commands/errors';
import type { DeploymentsModel } from '../deployments/model';
import type { IPanelControl } from '../tokens';
import { askHowToDeploy } from './dialog';

/** Drive of real-time collaboration; it shows the server's own files. */
const SHARED_DRIVE = 'RTC';

/** Deploy and start a sample where the list shows; tell when that fails. */
export async function deploySample(
  model: DeploymentsModel,
  sample: SampleSource['sample'],
  trans: TranslationBundle
): Promise<void> {
  try {
    await model.load();
    const environment = model.environment;
    if (environment) {
      const source = { kind: 'sample', sample } as const;
      await model.deploy(environment.id, { source, start: true }, sample);
    }
  } catch (reason) {
    await showEdiError(trans.__('The sample was not deployed'), reason, trans);
  }
}

/** What {@link deployFolder} works with. */
export interface IFolderToDeploy {
  contents: Contents.IManager;
  /** Path of the folder with its drive. */
  folder: string;
  model: DeploymentsModel;
  panel: IPanelControl | null;
  trans: TranslationBundle;
}

/** Ask how to deploy a folder and do so; tell when that fails. */
export async function deployFolder(options: IFolderToDeploy): Promise<void> {
  const { contents, folder, model, panel, trans } = options;
  try {
    const path = serverPath(contents, folder);
    await model.load();
    const choice = await askHowToDeploy({ model, path, trans });
    if (choice === null) {
      return;
    }
    const { environment, name, runtime, start } = choice;
    model.setEnvironment(environment);
    void panel?.reveal(name, 'row');
    const source = { kind: 'folder', path } as const;
    await model.deploy(environment, { source, name, runtime, start }, name);
  } catch (reason) {
    await showEdiError(trans.__('The folder was not deployed'), reason, trans);
  }
}

/**
 * The path that the server half understands.
 *
 * @throws EdiError - `other_drive` when the folder is not on the server's disk.
 */
export function serverPath(contents: Contents.IManager, path: string): string {
  const drive = contents.driveName(path);
  if (drive !== '' && drive !== SHARED_DRIVE) {
    throw new EdiError({
      code: 'other_drive',
      message: 'This folder is not on the disk of the server.'
    });
  }
  return contents.localPath(path);
}
