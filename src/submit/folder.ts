import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';

import { EdiError } from '../api/errors';

/** Drive of real-time collaboration; it shows the server's own files. */
const SHARED_DRIVE = 'RTC';

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
