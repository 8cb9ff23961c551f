import { rmSync } from 'node:fs';

/** Remove the folder of the run once the servers, which end later, let go of it. */
export default function teardown(): void {
  const run = process.env.EDI_UI_RUN;
  if (run !== undefined) {
    process.once('exit', () => rmSync(run, { recursive: true, force: true }));
  }
}
