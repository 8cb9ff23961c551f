import type { DeploymentsModel } from './model';

/** What is done with the model before anybody gets it. */
type Step = (model: DeploymentsModel) => Promise<unknown> | void;

/**
 * The model of the deployments, made when something first needs it: the panel
 * shows, a tab comes back, a command runs. Until then JupyterLab loads nothing
 * of it and no request is sent.
 */
export class LazyDeployments {
  /**
   * @param create - Loads the code of the model and makes it.
   */
  constructor(create: () => Promise<DeploymentsModel>) {
    this._create = create;
  }

  /** The model; null as long as nothing has needed it. */
  get current(): DeploymentsModel | null {
    return this._current;
  }

  /**
   * The model. Calls at the same time share one; one that failed, because the
   * code could not be fetched, is tried again by the next.
   */
  load(): Promise<DeploymentsModel> {
    this._loading ??= this._load().catch(reason => {
      this._loading = null;
      throw reason;
    });
    return this._loading;
  }

  /**
   * Have something done with the model as soon as there is one and before
   * anybody gets it. A step that fails is told in the console and holds nothing up.
   */
  prepare(step: Step): void {
    if (this._current === null) {
      this._steps.push(step);
    } else {
      void take(step, this._current);
    }
  }

  private async _load(): Promise<DeploymentsModel> {
    const model = await this._create();
    await Promise.all(this._steps.map(step => take(step, model)));
    this._steps = [];
    this._current = model;
    return model;
  }

  private readonly _create: () => Promise<DeploymentsModel>;
  private _current: DeploymentsModel | null = null;
  private _loading: Promise<DeploymentsModel> | null = null;
  private _steps: Step[] = [];
}

async function take(step: Step, model: DeploymentsModel): Promise<void> {
  try {
    await step(model);
  } catch (reason) {
    console.error('edi_labext:', reason);
  }
}
