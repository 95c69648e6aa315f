/** A deployment judged from outside, as its clients and upstreams see it. */
import { cut } from '../../core/base/text.ts';
import { bearer, type Deployed } from '../deployed.ts';
import { attempted, bad, DEPLOY, type Finding, good, note } from './finding.ts';
import { firstOf } from './first-of.ts';
import { sendCanaries } from './send-canaries.ts';

export interface OutsideOptions extends Omit<Deployed, 'target'> {
  /** A canary may be on its way this long. */
  readonly waitMs: number;
  /** Of this checkout's sources. */
  readonly build: string;
}

/** A larger difference between clocks is trouble: a token is refused 5 s after its time, a signature of AWS after 5 minutes. */
const SKEW_MS = 30_000;
const ANSWER_MS = 15_000;

export async function* fromOutside(options: OutsideOptions): AsyncGenerator<Finding> {
  const { api, key, streams, streamPaths, token } = options;
  const health = await ask(new URL('/api/health', api));
  yield* judgeHealth(health, options);
  if (health.status === null) return;
  yield judgePage(await ask(new URL('/', api)));
  if (key === null) yield note('publish key', 'none was given, so no canary is sent: --key, or PUSH_KEY');
  yield* await attempted('canaries', () => sendCanaries(options));
  for (const path of streamPaths) yield judgeStream(path, await ask(new URL(path, streams), bearer(token)));
}

interface Answer {
  /** `null` = there was none. */
  readonly status: number | null;
  readonly type: string;
  /** By the sender's clock. */
  readonly atMs: number | null;
  readonly text: string;
}

async function ask(url: URL, headers: Record<string, string> = {}): Promise<Answer> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS), redirect: 'manual' });
    const date = response.headers.get('date');
    const text = await firstOf(response);
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      atMs: date === null ? null : Date.parse(date),
      text,
    };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    return { status: null, type: '', atMs: null, text: cause?.code ?? cause?.message ?? message };
  }
}

const said = ({ status, text }: Answer): string => `${status ?? 'no answer'}: ${cut(text, 200)}`;

function* judgeHealth(answer: Answer, { api, build }: OutsideOptions): Generator<Finding> {
  const { status, atMs, text } = answer;
  if (status === null) return yield bad('API', `nothing answers at ${api}: ${text}. Is the address right, and the deployment there?`);
  if (status === 403 && text.includes('front door'))
    yield bad(
      'closed origin',
      `the API refuses what comes from ${api}. If that is the front door, the key in its distribution and ORIGIN_KEY of the functions differ: deploying sets both. Else use the address that the deployment gives as Url`,
    );
  else if (status !== 200) yield bad('API', `GET /api/health answers ${said(answer)}`);
  else {
    const running = healthIn(text);
    if (running === null)
      return yield bad('API', `GET /api/health answers 200 with ${cut(text, 100)}: this is something else than realtime-push`);
    yield good('API', `version ${running.version}, build ${running.build}`);
    if (running.build !== build)
      yield bad(
        'stale build',
        `build ${running.build} runs there, and this checkout is ${build}. Check out what was deployed, or ${DEPLOY}`,
      );
  }
  if (atMs === null || Number.isNaN(atMs)) return yield note('clock', 'its answers have no date');
  const skewMs = atMs - Date.now();
  if (Math.abs(skewMs) > SKEW_MS)
    yield bad(
      'clock skew',
      `its clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the one here: tokens and signatures made here are refused there. Set this machine's clock (NTP)`,
    );
  else yield good('clock', 'agrees with the one here');
}

/** The health in an answer; `null` = it is none. */
function healthIn(text: string): { readonly version: string; readonly build: string } | null {
  try {
    const { version, build } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return typeof version === 'string' ? { version, build: String(build) } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function judgePage(answer: Answer): Finding {
  if (answer.status === 200 && answer.type.startsWith('text/html')) return good('page', `${answer.text.length} characters`);
  return bad('no page', `GET / answers ${said(answer)}. The function "page" serves it, at the routes / and /assets/{file}`);
}

/** Without parameters a stream is refused by the function itself, so the way to it is open. */
function judgeStream(path: string, answer: Answer): Finding {
  const check = `stream ${path}`;
  if (answer.status === 400 && answer.text.includes('error_code')) return good(check, 'the function answers');
  if (answer.status === 401) return note(check, 'the function answers, and asks for a token that is valid: --token');
  if (answer.text.includes('CHANNEL_DISABLED')) return note(check, 'event streams are off (APP_PUSH_MODE)');
  return bad(
    check,
    `answers ${said(answer)}. Behind a front door the function's policy must allow CloudFront lambda:InvokeFunctionUrl and lambda:InvokeFunction`,
  );
}
