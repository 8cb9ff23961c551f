import type { IConnectionStatus, ServiceManager } from '@jupyterlab/services';

import { EdiClient } from '../api/client';
import { DeploymentsModel } from './model';

/** The model of all parts of a page; its requests wait until somebody looks. */
export function createDeployments(
  services: ServiceManager.IManager,
  connection: IConnectionStatus | null
): DeploymentsModel {
  const { events, serverSettings } = services;
  const client = new EdiClient(serverSettings);
  const model = new DeploymentsModel({ client, connection, events });
  const onVisibility = (): void => {
    model.isHidden = document.hidden;
  };
  document.addEventListener('visibilitychange', onVisibility);
  onVisibility();
  return model;
}
