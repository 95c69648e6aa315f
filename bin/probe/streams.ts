/** Whether an event stream arrives as it is written. */
import { compared, type Fact, headersOf, measured, type ProbeOptions, publishOne } from './fact.ts';

const PATH = '/api/v1/waiting-queue/subscribe';
const OPEN_MS = 30_000;

export async function* aboutStreams(options: ProbeOptions): AsyncGenerator<Fact> {
  const concertId = 1_000_000 + Math.floor(Math.random() * 1e9);
  const userId = /^\d+$/.test(options.user) ? Number(options.user) : 1;
  const url = new URL(`${PATH}?userId=${userId}&concertId=${concertId}`, options.streams);
  const began = Date.now();
  const response = await fetch(url, { headers: headersOf(options), signal: AbortSignal.timeout(OPEN_MS) });
  if (response.status !== 200 || response.body === null) {
    yield compared('an event stream', 'answers 200', `answers ${response.status}: ${(await response.text()).slice(0, 200)}`);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const until = async (part: string): Promise<number | null> => {
    while (!text.includes(part)) {
      const { done, value } = await reader.read();
      if (done) return null;
      text += value;
    }
    return Date.now();
  };
  try {
    const first = await until('event:');
    yield measured('the first event of a stream', 'comes at once', first === null ? 'never came' : `came after ${first - began} ms`);
    const published = Date.now();
    const detail = { userId, concertId, rank: 7 };
    await publishOne({ source: 'ticket.waiting-queue', detailType: 'RankUpdated', detail }, options);
    const arrived = await until('"rank":7');
    yield compared(
      'an event while the stream is open',
      'arrives before the end',
      arrived === null ? 'does not arrive before the end' : 'arrives before the end',
    );
    yield measured('how long it takes', 'about 1 s', arrived === null ? '–' : `${arrived - published} ms`);
  } finally {
    await reader.cancel();
  }
}
