/** The shapes of the façade, as they go over the wire. */
import type { Deployment, FindingInfo, Job } from '../_schema';

export type * from '../_schema';

export type DeploymentState = Deployment['state'];
export type JobKind = Job['kind'];
export type Severity = FindingInfo['severity'];
