/** `npm run token -- --user 100 --roles ops:read`: a token of the local run's own issuer. */
import './node-version.ts';
import { TOKEN_PATH } from '../local/issuer.ts';
import { commandLine } from './command-line.ts';

const USAGE = `usage: npm run --silent token -- --user 100 [--roles ops:read,ops:control] [--seconds 3600]
options: --url http://localhost:8000   the address of AUTH_MODE=jwt npm start (or PUSH_URL, or PORT on this machine)`;

async function main(): Promise<void> {
  const { values } = commandLine(USAGE, {
    options: {
      user: { type: 'string' },
      roles: { type: 'string', default: '' },
      seconds: { type: 'string', default: '3600' },
      url: { type: 'string' },
    },
  });
  if (!values.user) throw new Error(`--user: expected a user id\n${USAGE}`);
  if (!/^-?\d{1,9}$/.test(values.seconds)) throw new Error(`--seconds: expected a number, got ${JSON.stringify(values.seconds)}`);
  const url = values.url ?? process.env['PUSH_URL'] ?? `http://localhost:${process.env['PORT'] || '8000'}`;
  const roles = values.roles.split(/[\s,]+/).filter((role) => role !== '');
  const response = await fetch(new URL(TOKEN_PATH, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: values.user, roles, seconds: Number(values.seconds) }),
  }).catch(() => {
    throw new Error(`no server answers at ${url}: is \`AUTH_MODE=jwt npm start\` running there? (--url names another address)`);
  });
  if (response.status === 404) throw new Error(`${url} does not mint tokens: start it with AUTH_MODE=jwt and without JWT_ISSUER`);
  const body = (await response.json()) as { token?: string; error_message?: string };
  if (!body.token) throw new Error(`no token: ${body.error_message ?? response.status}`);
  console.log(body.token);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
