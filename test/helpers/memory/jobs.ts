import type { Job, Jobs, Work } from '../../../core/ports/jobs.ts';

export interface MemoryWork extends Work {
  readonly works: { worker: string; work: object; delaySeconds: number }[];
}

export function memoryWork(): MemoryWork {
  const works: MemoryWork['works'] = [];
  return {
    works,
    async put(worker, work, delaySeconds = 0) {
      works.push({ worker, work, delaySeconds });
    },
  };
}

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
