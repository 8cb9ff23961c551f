import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import {
  createToolbarFactory,
  ICommandPalette,
  IToolbarWidgetRegistry,
  setToolbar,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IConnectionStatus } from '@jupyterlab/services';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { EdiClient } from './api/client';
import { addFolderCommand, addSampleCommand } from './commands/deploy';
import { addLifecycleCommands } from './commands/lifecycle';
import { addNotifications } from './commands/notifications';
import { addPanelCommands } from './commands/panel';
import { addProfileCommand } from './commands/profile';
import { DeploymentsModel } from './deployments/model';
import { PanelState } from './panel/state';
import { createEnvironmentItem, EdiPanel } from './panel/widget';
import type { ProfileTab } from './profile/widget';
import { Drafts } from './send/drafts';
import { CommandIDs, IDeployments, IPanelControl } from './tokens';

const DOMAIN = 'edi_labext';
const PANEL_PLUGIN = 'edi_labext:panel';

/** The one model of all parts; its requests wait until somebody looks. */
const deployments: JupyterFrontEndPlugin<IDeployments> = {
  id: 'edi_labext:deployments',
  description: 'Keeps track of the deployments of an EDI environment.',
  autoStart: true,
  provides: IDeployments,
  optional: [IConnectionStatus],
  activate: (
    app: JupyterFrontEnd,
    connection: IConnectionStatus | null
  ): IDeployments => {
    const { events, serverSettings } = app.serviceManager;
    const client = new EdiClient(serverSettings);
    const model = new DeploymentsModel({ client, connection, events });
    const onVisibility = (): void => {
      model.isHidden = document.hidden;
    };
    document.addEventListener('visibilitychange', onVisibility);
    onVisibility();
    return model;
  }
};

/** Start, stop, undeploy, and the sample of the empty panel. */
const commands: JupyterFrontEndPlugin<void> = {
  id: 'edi_labext:commands',
  description: 'Adds the commands that change deployments.',
  autoStart: true,
  requires: [IDeployments],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IDeployments,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addLifecycleCommands({ commands, model, trans });
    addSampleCommand({ commands, model, trans });
    const category = trans.__('EDI');
    for (const command of [
      CommandIDs.start,
      CommandIDs.stop,
      CommandIDs.restart,
      CommandIDs.undeploy,
      CommandIDs.deploySample
    ]) {
      palette?.addItem({ command, category });
    }
    const changed = [...Object.values(CommandIDs)];
    model.changed.connect(() => {
      for (const command of changed) {
        if (commands.hasCommand(command)) {
          commands.notifyCommandChanged(command);
        }
      }
    }, model);
  }
};

/** The sidebar. */
const panel: JupyterFrontEndPlugin<IPanelControl> = {
  id: PANEL_PLUGIN,
  description: 'Shows deployments in a sidebar.',
  autoStart: true,
  provides: IPanelControl,
  requires: [IDeployments],
  optional: [
    ICommandPalette,
    ILayoutRestorer,
    ISettingRegistry,
    IStateDB,
    IToolbarWidgetRegistry,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IDeployments,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    database: IStateDB | null,
    toolbars: IToolbarWidgetRegistry | null,
    translator: ITranslator | null
  ): IPanelControl => {
    const { commands, shell } = app;
    const languages = translator ?? nullTranslator;
    const trans = languages.load(DOMAIN);
    const state = new PanelState(model, database);
    const drafts = new Drafts(database);
    const context = { model, state, drafts, commands, trans };
    const widget = new EdiPanel(context, languages);

    if (toolbars && settings) {
      toolbars.addFactory('EDI', 'environment', () =>
        createEnvironmentItem(context)
      );
      setToolbar(
        widget,
        createToolbarFactory(toolbars, settings, 'EDI', PANEL_PLUGIN, languages)
      );
    }
    shell.add(widget, 'left', { rank: 650, type: 'EDI' });
    restorer?.add(widget, widget.id);
    void state.restore();

    const control: IPanelControl = {
      show: () => shell.activateById(widget.id),
      reveal: (name, focus) => {
        state.reveal(name, focus);
        shell.activateById(widget.id);
      }
    };
    addPanelCommands({ commands, model, panel: control, trans });
    const category = trans.__('EDI');
    for (const command of [
      CommandIDs.openPanel,
      CommandIDs.refresh,
      CommandIDs.send
    ]) {
      palette?.addItem({ command, category });
    }
    return control;
  }
};

/** "Deploy to EDI…" on folders of the file browser. */
const deployFolder: JupyterFrontEndPlugin<void> = {
  id: 'edi_labext:deploy-folder',
  description: 'Deploys a folder from the file browser.',
  autoStart: true,
  requires: [IDeployments, IFileBrowserFactory],
  optional: [IPanelControl, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IDeployments,
    browsers: IFileBrowserFactory,
    panel: IPanelControl | null,
    translator: ITranslator | null
  ): void => {
    const { commands, serviceManager } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { contents } = serviceManager;
    addFolderCommand({ browsers, commands, contents, model, panel, trans });
  }
};

/** The profile of a deployment in a tab of its own. */
const profile: JupyterFrontEndPlugin<void> = {
  id: 'edi_labext:profile',
  description: 'Edits how a deployment runs.',
  autoStart: true,
  requires: [IDeployments],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IDeployments,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    database: IStateDB | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const tracker = new WidgetTracker<ProfileTab>({ namespace: 'edi-profile' });
    addProfileCommand({ commands, database, model, shell, tracker, trans });
    palette?.addItem({
      command: CommandIDs.editProfile,
      category: trans.__('EDI')
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.editProfile,
      args: ({ model: { environment, name } }) => ({ environment, name }),
      name: ({ model: { environment, name } }) => `${environment}/${name}`
    });
  }
};

/** Progress and failures of long actions. */
const notifications: JupyterFrontEndPlugin<void> = {
  id: 'edi_labext:notifications',
  description: 'Shows progress and failures of what is done to deployments.',
  autoStart: true,
  requires: [IDeployments],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IDeployments,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addNotifications({ commands: app.commands, model, trans });
  }
};

export default [
  deployments,
  commands,
  panel,
  profile,
  deployFolder,
  notifications
];
