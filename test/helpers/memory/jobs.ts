import type { Job, Jobs } from '../../../core/ports/jobs.ts';

export interface MemoryJobs extends Jobs {
  readonly jobs: { job: Job; delaySeconds: number }[];
}

export function memoryJobs(): MemoryJobs {
  const jobs: { job: Job; delaySeconds: number }[] = [];
  return {
    jobs,
    async put(job, delaySeconds = 0) {
      jobs.push({ job, delaySeconds });
    },
  };
}
