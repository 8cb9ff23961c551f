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
import { Panel } from '@lumino/widgets';

import { addFolderCommand, addSampleCommand } from './commands/deploy';
import { addLifecycleCommands } from './commands/lifecycle';
import { addPanelCommands } from './commands/panel';
import { addProfileCommand } from './commands/profile';
import { LazyDeployments } from './deployments/lazy';
import type { IPanelContext } from './panel/context';
import { EdiPanel } from './panel/widget';
import type { ProfileTab } from './profile/widget';
import { CommandIDs, IDeployments, IPanelControl } from './tokens';

// What this module imports by name is loaded while JupyterLab starts, used or not: the commands
// and an empty panel. Everything else comes by `import()` when it is first needed.

const DOMAIN = 'edi_labext';
const PANEL_PLUGIN = 'edi_labext:panel';

/** The one model of all parts. */
const deployments: JupyterFrontEndPlugin<IDeployments> = {
  id: 'edi_labext:deployments',
  description: 'Keeps track of the deployments of an EDI environment.',
  autoStart: true,
  provides: IDeployments,
  optional: [IConnectionStatus],
  activate: (
    app: JupyterFrontEnd,
    connection: IConnectionStatus | null
  ): IDeployments =>
    new LazyDeployments(async () => {
      const [{ createDeployments }] = await Promise.all([
        import('./deployments/create'),
        import('./style')
      ]);
      return createDeployments(app.serviceManager, connection);
    })
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
    deployments: IDeployments,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addLifecycleCommands({ commands, deployments, trans });
    addSampleCommand({ commands, deployments, trans });
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
    deployments.prepare(model => {
      model.changed.connect(() => {
        for (const command of Object.values(CommandIDs)) {
          if (commands.hasCommand(command)) {
            commands.notifyCommandChanged(command);
          }
        }
      }, model);
    });
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
    deployments: IDeployments,
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
    let context: IPanelContext | null = null;
    deployments.prepare(async model => {
      const { furnish } = await import('./panel/furnish');
      context = await furnish({ model, commands, database, trans });
    });
    const load = async (): Promise<IPanelContext> => {
      await deployments.load();
      if (context === null) {
        throw new Error('The EDI panel could not be loaded.');
      }
      return context;
    };
    const title = trans.__('EDI deployments');
    const widget = new EdiPanel(load, title, languages);
    widget.toolbar.node.setAttribute('aria-label', trans.__('EDI toolbar'));

    if (toolbars && settings) {
      toolbars.addFactory('EDI', 'environment', () => {
        const item = new Panel();
        item.addClass('edi-Environment');
        deployments.prepare(async model => {
          const { createEnvironmentItem } = await import('./panel/environment');
          item.addWidget(createEnvironmentItem({ model, trans }));
        });
        return item;
      });
      setToolbar(
        widget,
        createToolbarFactory(toolbars, settings, 'EDI', PANEL_PLUGIN, languages)
      );
    }
    shell.add(widget, 'left', { rank: 650, type: 'EDI' });
    restorer?.add(widget, widget.id);

    const control: IPanelControl = {
      show: () => shell.activateById(widget.id),
      reveal: async (name, focus) => {
        (await load()).state.reveal(name, focus);
        shell.activateById(widget.id);
      }
    };
    addPanelCommands({ commands, deployments, panel: control, trans });
    const category = trans.__('EDI');
    for (const command of [
      CommandIDs.openPanel,
      CommandIDs.environments,
      CommandIDs.pasteToken,
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
    deployments: IDeployments,
    browsers: IFileBrowserFactory,
    panel: IPanelControl | null,
    translator: ITranslator | null
  ): void => {
    const { commands, serviceManager } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { contents } = serviceManager;
    addFolderCommand({
      browsers,
      commands,
      contents,
      deployments,
      panel,
      trans
    });
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
    deployments: IDeployments,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    database: IStateDB | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const tracker = new WidgetTracker<ProfileTab>({ namespace: 'edi-profile' });
    addProfileCommand({
      commands,
      database,
      deployments,
      shell,
      tracker,
      trans
    });
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
    deployments: IDeployments,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { commands } = app;
    deployments.prepare(async model => {
      const { JobNotifier } = await import('./commands/notifier');
      return new JobNotifier({ commands, model, trans });
    });
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
