import { StateDB } from '@jupyterlab/statedb';
import { UseSignal } from '@jupyterlab/ui-components';
import { act, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import {
  aDeployment,
  aProfileView,
  FakeClient,
  trans
} from '../../__tests__/fakes';
import type { ProfileView } from '../../api/wire';
import { DeploymentsModel } from '../../deployments/model';
import type { ProfileDocument } from '../document';
import { ProfileDrafts } from '../drafts';
import { ProfileForm } from '../form';
import { ProfileModel } from '../model';

/** What polls or listens, to be ended after the test. */
const opened: { dispose(): void }[] = [];
afterEach(() => {
  opened.splice(0).forEach(part => part.dispose());
});

export interface IRendered {
  client: FakeClient;
  deployments: DeploymentsModel;
  model: ProfileModel;
  database: StateDB;
  review: jest.Mock;
  discardNext: jest.Mock;
}

/** A form on a server in memory. */
export async function renderForm(
  more: Partial<ProfileView> = {},
  database = new StateDB(),
  client = new FakeClient()
): Promise<IRendered> {
  client.profile.mockImplementation(async () => aProfileView(more));
  client.deployments = [
    aDeployment('digits', { state: more.started ? 'ready' : 'stopped' })
  ];
  const deployments = new DeploymentsModel({ client });
  await deployments.load();
  await deployments.refresh();
  const model = new ProfileModel({
    deployments,
    drafts: new ProfileDrafts(database),
    environment: 'local',
    name: 'digits',
    trans
  });
  opened.push(model, deployments);
  const review = jest.fn(() => model.review());
  const discardNext = jest.fn(() => model.discardNext());
  render(
    <UseSignal signal={model.changed}>
      {() => (
        <ProfileForm
          model={model}
          trans={trans}
          onReview={() => void review()}
          onDiscardNext={() => void discardNext()}
        />
      )}
    </UseSignal>
  );
  await act(() => model.load());
  return { client, deployments, model, database, review, discardNext };
}

export const box = (name: string): HTMLInputElement =>
  screen.getByLabelText<HTMLInputElement>(name);

export function type(name: string, value: string): void {
  fireEvent.change(box(name), { target: { value } });
  fireEvent.blur(box(name));
}

export const saveButton = (): HTMLElement =>
  screen.getByRole('button', { name: /^Save/ });

/** Press Save and wait for the comparison. */
export async function press(): Promise<void> {
  await act(async () => {
    fireEvent.submit(screen.getByRole('form'));
  });
}

/** The document that was sent to be compared last. */
export function compared(client: FakeClient): ProfileDocument {
  return client.diffProfile.mock.lastCall?.[2] as ProfileDocument;
}
