/** Jobs off the queue. */

import { bounded } from '../base/concurrency.ts';
import { serveEach } from '../channels/each-record.ts';
import { expectConnect } from '../connections/connect.ts';
import { disconnect } from '../connections/disconnect.ts';
import { endUser } from '../connections/disconnect-user.ts';
import { greetLater } from '../connections/greeting.ts';
import { closeRefused } from '../connections/refuse.ts';
import { METRIC } from '../names.ts';
import { ONLY_SHARD } from '../ports/audience.ts';
import type { Job, WorkRecord } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';
import { formatPing, formatReconnect } from '../protocol/json-replies.ts';
import { HEART_BEAT } from '../protocol/stomp.ts';
import { type DrainPorts, drain } from './drain.ts';
import { readJob } from './read-job.ts';

/** Drains in flight at once. */
const AT_ONCE = 16;

export interface JobPorts extends DrainPorts, Pick<Ports, 'deadLetters'> {}

/** Does the jobs of some queue records. Returns the ids of those that must come back. */
export const doJobs = (records: readonly WorkRecord[], ports: JobPorts): Promise<string[]> =>
  serveEach(records, (job) => doJob(readJob(job), ports), ports, { message: 'a job failed and comes back', name: 'job' });

/** Throws if the job must come back. */
export async function doJob(job: Job, ports: DrainPorts): Promise<void> {
  switch (job.kind) {
    case 'drain':
      return drain(job, ports);
    case 'greet':
      return greetLater(job, ports);
    case 'expect-connect':
      return expectConnect(job.connectionId, ports);
    case 'close-refused':
      return closeRefused(job.connectionId, ports);
    case 'end-user':
      return endUser(job, ports);
    case 'keepalive':
      return bounded(job.topics, AT_ONCE, (topic) => drain({ topic, shard: ONLY_SHARD, repeat: true }, ports));
    case 'ping':
      return postAll(formatPing(ports.clock.now()), job.connectionIds, ports);
    case 'reconnect':
      return postAll(formatReconnect(job.afterMs, job.withinMs, ports.clock.now()), job.connectionIds, ports);
    case 'beat':
      return postAll(HEART_BEAT, job.connectionIds, ports);
  }
}

/** A sign of life for a throttled connection is dropped: the next is due soon enough. */
async function postAll(frame: string, connectionIds: readonly string[], ports: DrainPorts): Promise<void> {
  await bounded(connectionIds, ports.drainSettings.postsAtOnce, async (connectionId) => {
    const result = await ports.gateway.post(connectionId, frame);
    if (result === 'gone') await disconnect(connectionId, ports);
    else if (result === 'sent') ports.report.count(METRIC.messagesOut);
  });
}
