import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { EdiError } from '../api/errors';
import type { Action } from '../deployments/actions';
import type { DeploymentsModel } from '../deployments/model';
import type { IRow } from '../deployments/rows';
import { plainText } from '../panel/plainText';
import { CommandIDs } from '../tokens';
import { showEdiError } from './errors';

/** What is asked before something is done that is missed or lost. */
interface IQuestion {
  title: string;
  body: string;
  verb: string;
}

/** Start, stop, restart or undeploy: ask if need be, do it, tell of a refusal. */
export async function carryOut(
  action: Action,
  row: IRow,
  model: DeploymentsModel,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<void> {
  const { environment, name } = row;
  const title = model.environment?.title ?? '';
  const question = questionOf(action, name, title, trans);
  if (question !== null && !(await isAgreed(question, trans))) {
    return;
  }
  try {
    await model.act(action, environment, name);
  } catch (reason) {
    const error = EdiError.from(reason);
    if (error.code === 'next_profile_outdated') {
      await offerProfile(row, error, commands, trans);
    } else {
      await showEdiError(failed(action, name, trans), error, trans);
    }
  }
}

/** Somebody has to decide between two profiles: lead to where that is done. */
async function offerProfile(
  { environment, name }: IRow,
  { message }: EdiError,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<void> {
  const { button } = await showDialog({
    title: trans.__('Which profile shall %1 start with?', name),
    body: trans.__(
      '%1 Open it to save yours again, or to discard it.',
      plainText(message)
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Open the profile') })
    ]
  });
  if (button.accept) {
    await commands.execute(CommandIDs.editProfile, { environment, name });
  }
}

async function isAgreed(
  { title, body, verb }: IQuestion,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: verb })
    ],
    defaultButton: 0
  });
  return button.accept;
}

function questionOf(
  action: Action,
  name: string,
  environment: string,
  trans: TranslationBundle
): IQuestion | null {
  switch (action) {
    case 'start':
      return null;
    case 'stop':
      return {
        title: trans.__('Stop %1?', name),
        body: trans.__('It answers no requests until it is started again.'),
        verb: trans.__('Stop')
      };
    case 'restart':
      return {
        title: trans.__('Restart %1?', name),
        body: trans.__('It answers no requests until it is ready again.'),
        verb: trans.__('Restart')
      };
    case 'undeploy':
      return {
        title: trans.__('Undeploy %1?', name),
        body: trans.__(
          'It is stopped and removed from %1. The folder that it was deployed from stays as it is.',
          environment
        ),
        verb: trans.__('Undeploy')
      };
  }
}

function failed(
  action: Action,
  name: string,
  trans: TranslationBundle
): string {
  switch (action) {
    case 'start':
      return trans.__('%1 was not started', name);
    case 'stop':
      return trans.__('%1 was not stopped', name);
    case 'restart':
      return trans.__('%1 was not restarted', name);
    case 'undeploy':
      return trans.__('%1 was not undeployed', name);
  }
}
