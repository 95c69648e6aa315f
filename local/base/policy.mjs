// @ts-check
/**
 * IAM as functions meet it: who called is read from the request's signature, and may do what its role's policies allow. In
 * plain JavaScript, because the tables' thread uses it too. Conditions are not evaluated.
 */

const PREFIX = 'LOCAL.';

/** The access key of a function. @param {string} name */
export const accessKeyOf = (name) => `${PREFIX}${name}`;

/** The function whose key signed a request; `null` for anybody else, who acts as the account's owner. @param {string | undefined} authorization */
function callerOf(authorization) {
  const key = /Credential=([^/]+)\//.exec(authorization ?? '')?.[1] ?? '';
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;
}

/** How far a signature's date may be from the time. */
const SIGNATURE_MS = 5 * 60_000;

/**
 * Why a function's signature is refused for its date; `null` = it is not. Only functions live in the time of the local run.
 *
 * @param {Readonly<Record<string, string | string[] | undefined>>} headers @param {number} nowMs
 */
export function dateRefusal({ authorization, 'x-amz-date': date }, nowMs) {
  if (callerOf(String(authorization)) === null) return null;
  if (typeof date !== 'string') return 'the header x-amz-date is missing';
  const signedMs = Date.parse(String(date).replace(/^(.{4})(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (Math.abs(nowMs - signedMs) <= SIGNATURE_MS) return null;
  const [sooner, relation] = signedMs < nowMs ? ['expired', 'earlier'] : ['not yet current', 'later'];
  return `Signature ${sooner}: ${date} is now ${relation} than ${new Date(nowMs).toISOString()} by more than 5 min.`;
}

/** @param {string} pattern */
const compiled = (pattern) => {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return { pattern, regexp: new RegExp(`^${escaped}$`, 's') };
};

/** Whether a pattern with `*` and `?` fits. @param {string} pattern @param {string} text */
export const matches = (pattern, text) => compiled(pattern).regexp.test(text);

/**
 * @param {Readonly<Record<string, readonly import('./policy.d.mts').Statement[]>>} grants
 * @param {(refusal: string) => void} tell
 */
export function makeGate(grants, tell) {
  /** @type {Map<string, boolean>} */
  const decided = new Map();
  /** @type {Set<string>} */
  const used = new Set();
  /** Functions and actions that were refused. @type {Set<string>} */
  const refused = new Set();

  // each post of a local run is decided anew: its connection has a name of its own
  const rules = new Map(
    Object.entries(grants).map(([name, statements]) => [
      name,
      statements.map(({ effect, actions, resources }) => ({ effect, actions: actions.map(compiled), resources: resources.map(compiled) })),
    ]),
  );

  /** @param {string} name @param {string} action @param {string} resource */
  function decide(name, action, resource) {
    const matching = (rules.get(name) ?? []).flatMap(({ effect, actions, resources }) =>
      actions
        .filter(({ regexp }) => regexp.test(action))
        .flatMap((a) =>
          resources.filter(({ regexp }) => regexp.test(resource)).map((r) => ({ effect, line: `${name} ${a.pattern} ${r.pattern}` })),
        ),
    );
    const allowed = matching.length > 0 && matching.every(({ effect }) => effect === 'Allow');
    if (allowed) for (const { line } of matching) used.add(line);
    return allowed;
  }

  return {
    /** @param {string} name @param {string} action @param {string} resource */
    refusalOf(name, action, resource) {
      const key = `${name} ${action} ${resource}`;
      let allowed = decided.get(key);
      if (allowed === undefined) {
        allowed = decide(name, action, resource);
        // connection ids and object keys would fill it
        if (!/@connections|\/messages\//.test(resource)) decided.set(key, allowed);
      }
      if (allowed) return null;
      const refusal = `User: arn:aws:sts::000000000000:assumed-role/${name}/${name} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
      if (!refused.has(`${name} ${action}`)) tell(refusal);
      refused.add(`${name} ${action}`);
      return refusal;
    },
    /** @param {string | undefined} authorization @param {string} action @param {string} resource */
    refusal(authorization, action, resource) {
      const name = callerOf(authorization);
      return name === null ? null : this.refusalOf(name, action, resource);
    },
    used: () => [...used],
  };
}
