/** Name of the worker that sends webhooks, and of its queue. */
export const WEBHOOK = 'webhook';
