// @ts-check
/** The run's own metrics and alarms. Only the local run tells them over HTTP; a deployment has them in CloudWatch. */

const LOOK_MS = 5_000;
const WINDOW_MS = 10 * 60_000;

/** @typedef {{ atMs: number, sum: number, count: number, maximum: number }} Point */
/** @typedef {{ namespace: string, name: string, dimensions: Record<string, string>, points: Point[] }} Series */
/** @typedef {{ name: string, description: string, state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' }} Alarm */
/** @typedef {{ nowMs: number, metrics: Series[], alarms: Alarm[] }} Told */

const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.getElementById(`metrics-${name}`));

export async function startMetrics() {
  const response = await fetch('/local/metrics').catch(() => null);
  if (response?.ok) {
    /** @type {HTMLElement} */ (document.getElementById('metrics')).hidden = false;
    show(await response.json());
  }
  // what is not there will not come: a deployment answers 404
  if (!response || response.ok) setTimeout(() => void startMetrics(), LOOK_MS);
}

/** @param {Told} told */
function show({ nowMs, metrics, alarms }) {
  const pointsOf = (/** @type {string} */ name) =>
    metrics.filter((one) => one.name === name).flatMap(({ points }) => points.filter(({ atMs }) => atMs > nowMs - WINDOW_MS));
  const sum = (/** @type {string} */ name) => pointsOf(name).reduce((all, point) => all + point.sum, 0);
  const average = (/** @type {string} */ name) => {
    const values = pointsOf(name).reduce((all, { count }) => all + count, 0);
    return values === 0 ? '–' : `${Math.round(sum(name) / values)} ms`;
  };
  const newest = pointsOf('LiveConnections').sort((one, other) => other.atMs - one.atMs)[0];
  const delivered = sum('MessagesOut');
  part('connections').textContent = newest ? String(newest.maximum) : '–';
  part('in').textContent = sum('MessagesIn').toLocaleString();
  part('out').textContent = delivered.toLocaleString();
  part('bytes').textContent = `${(sum('BytesOut') / 1000).toFixed(1)} KB`;
  part('errors').textContent = sum('Errors').toLocaleString();
  part('answer').textContent = average('AnswerTime');
  part('duration').textContent = average('Duration');
  part('posts').textContent = delivered === 0 ? '–' : (sum('Posts') / delivered).toFixed(2);
  const raised = alarms.filter(({ state }) => state === 'ALARM');
  part('alarms').textContent =
    raised.length === 0 ? `none of ${alarms.length} raised` : raised.map(({ description }) => description).join(' · ');
}
