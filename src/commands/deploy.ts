import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

import { ediIcon } from '../icons';
import { CommandIDs, type IPanelControl } from '../tokens';
import { type ICommandOptions, NO_ARGS } from './target';

const SAMPLE = 'pingpong';

/** Add the command of the empty panel. */
export function addSampleCommand(options: ICommandOptions): IDisposable {
  const { commands, deployments, trans } = options;
  return commands.addCommand(CommandIDs.deploySample, {
    label: trans.__('Deploy the Ping-Pong Sample'),
    caption: trans.__('Deploy and start a small service that answers at once'),
    icon: ediIcon,
    describedBy: { args: NO_ARGS },
    isEnabled: () => !deployments.current?.row(SAMPLE),
    execute: async () => {
      const { deploySample } = await import('../submit/deploy');
      await deploySample(await deployments.load(), SAMPLE, trans);
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
  const { browsers, commands, contents, deployments, panel, trans } = options;
  return commands.addCommand(CommandIDs.deployFolder, {
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
    isEnabled: ({ path }) =>
      typeof path === 'string' || selectedFolder(browsers) !== null,
    execute: async ({ path }) => {
      const folder = typeof path === 'string' ? path : selectedFolder(browsers);
      if (folder !== null) {
        const { deployFolder } = await import('../submit/deploy');
        const model = await deployments.load();
        await deployFolder({ contents, folder, model, panel, trans });
      }
    }
  });
}

/**
 * The one folder that is selected in the file browser that was used last, with
 * its drive; null when there is none, or more than one.
 */
export function selectedFolder(factory: IFileBrowserFactory): string | null {
  const browser = factory.tracker.currentWidget;
  const items = browser ? [...browser.selectedItems()] : [];
  return items.length === 1 && items[0].type === 'directory'
    ? items[0].path
    : null;
}
