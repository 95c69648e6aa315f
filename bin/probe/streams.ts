/** Probe of an event stream: does it arrive as it is written? */
import { bearer } from '../deployed.ts';
import { compared, type Fact, measured, type Probed, publishOne } from './fact.ts';

const PATH = '/api/v1/waiting-queue/subscribe';
const SOURCE = 'ticket.waiting-queue';
/** The first event, and each later one, may take this long. */
const EVENT_MS = 20_000;

export async function* probeStreams(probed: Probed): AsyncGenerator<Fact> {
  // a concert that nobody else has
  const concertId = 1_000_000 + Math.floor(Math.random() * 1e9);
  const userId = /^\d+$/.test(probed.user) ? Number(probed.user) : 1;
  const beganMs = Date.now();
  const ended = new AbortController();
  const url = new URL(`${PATH}?userId=${userId}&concertId=${concertId}`, probed.streams);
  const response = await fetch(url, { headers: bearer(probed.token), signal: ended.signal });
  if (response.status !== 200 || response.body === null) {
    yield compared('an event stream', 'answers 200', `answers ${response.status}: ${(await response.text()).slice(0, 200)}`);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  /** When this part of the stream came, in ms; `null` = the stream ended, or the time was over. */
  const arrival = async (part: string): Promise<number | null> => {
    const timer = setTimeout(() => ended.abort(), EVENT_MS);
    try {
      while (!text.includes(part)) {
        const { done, value } = await reader.read();
        if (done) return null;
        text += value;
      }
      return Date.now();
    } catch (error) {
      if (ended.signal.aborted) return null;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
  const first = await arrival('event:');
  yield compared(
    'the first event of a stream',
    'comes while it is open',
    first === null ? 'does not come while it is open' : 'comes while it is open',
  );
  if (first === null) return;
  yield measured('it takes', 'less than 1 s', `${first - beganMs} ms`);
  const publishedMs = Date.now();
  await publishOne({ source: SOURCE, detailType: 'RankUpdated', detail: { userId, concertId, rank: 7 } }, probed);
  const second = await arrival('"rank":7');
  yield compared(
    'an event while the stream is open',
    'arrives before the end',
    second === null ? 'does not arrive before the end' : 'arrives before the end',
  );
  if (second !== null) yield measured('it takes', 'about 1 s', `${second - publishedMs} ms`);
  ended.abort();
}
