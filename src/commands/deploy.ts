import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { ediIcon } from '../icons';
import { selectedFolder, serverPath } from '../submit/folder';
import { CommandIDs, type IPanelControl } from '../tokens';
import type { ICommandOptions } from './lifecycle';

const SAMPLE = 'pingpong';

/** Add the command of the empty panel. */
export function addSampleCommand(options: ICommandOptions): IDisposable {
  const { commands, model, trans } = options;
  return commands.addCommand(CommandIDs.deploySample, {
    label: trans.__('Deploy the Ping-Pong Sample'),
    caption: trans.__('Deploy and start a small service that answers at once'),
    icon: ediIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => model.row(SAMPLE) === null,
    execute: async () => {
      try {
        await model.load();
        const environment = model.environment;
        if (environment) {
          const source = { kind: 'sample', sample: SAMPLE } as const;
          await model.deploy(environment.id, { source, start: true }, SAMPLE);
        }
      } catch (reason) {
        const { showEdiError } = await import('./errors');
        const title = trans.__('The sample was not deployed');
        await showEdiError(title, reason, trans);
      }
    }
  });
}

/** Add the command of folders in the file browser. */
export function addFolderCommand(
  options: ICommandOptions & {
    browsers: IFileBrowserFactory;
    contents: Contents.IManager;
    panel: IPanelControl | null;
  }
): IDisposable {
  const { browsers, commands, contents, model, panel, trans } = options;

  const deploy = async (folder: string): Promise<void> => {
    const path = serverPath(contents, folder);
    await model.load();
    const { askHowToDeploy } = await import('../submit/dialog');
    const choice = await askHowToDeploy({ model, path, trans });
    if (choice === null) {
      return;
    }
    const { environment, name, runtime, start } = choice;
    model.setEnvironment(environment);
    panel?.reveal(name, 'row');
    const source = { kind: 'folder', path } as const;
    await model.deploy(environment, { source, name, runtime, start }, name);
  };

  return DisposableSet.from([
    commands.addCommand(CommandIDs.deployFolder, {
      label: trans.__('Deploy to EDI…'),
      caption: trans.__('Turn the folder into a running inference service'),
      icon: ediIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'Folder; the selected one without it.'
            }
          }
        }
      },
      isEnabled: args =>
        typeof args.path === 'string' || selectedFolder(browsers) !== null,
      execute: async args => {
        const folder =
          typeof args.path === 'string' ? args.path : selectedFolder(browsers);
        if (folder === null) {
          return;
        }
        try {
          await deploy(folder);
        } catch (reason) {
          const { showEdiError } = await import('./errors');
          const title = trans.__('The folder was not deployed');
          await showEdiError(title, reason, trans);
        }
      }
    })
  ]);
}
